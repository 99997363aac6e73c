package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A stream-optimized extent: grains compressed, as a rule each behind a marker. */
final class CompressedExtent extends ReadOnlyExtent {
  private final GrainGeometry geometry;
  private final TablePlaces places;
  private final GrainTables tables;
  private final GrainCodec codec;
  private final boolean hasMarkers;

  CompressedExtent(
      ExtentTables shared, GrainGeometry geometry, GrainCodec codec, boolean hasMarkers)
      throws IOException {
    super(
        geometry.file().name()
            + ": a stream-optimized image is written as a whole alone; convert it to another"
            + " subformat");
    this.geometry = geometry;
    this.codec = codec;
    this.hasMarkers = hasMarkers;
    this.places = new TablePlaces(geometry, shared.cache(), geometry.file().size());
    this.tables = new GrainTables(geometry, shared.cache(), places, false);
  }

  GrainGeometry geometry() {
    return geometry;
  }

  @Override
  public long size() {
    return geometry.capacity();
  }

  @Override
  public long unit() {
    return geometry.grainSize();
  }

  /** The whole grain, also where the extent ends within it: that much is made of its bytes. */
  @Override
  public long unitEnd(long offset) {
    return (offset & -unit()) + unit();
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.of(geometry.file());
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    return tables.map(offset, length);
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    HostFile file = geometry.file();
    long place = encoded.fileOffset();
    int least = (int) Math.min(unit.remaining(), geometry.capacity());
    ByteBuffer bytes;
    if (hasMarkers) {
      ByteBuffer marker = ByteBuffer.allocate(Marker.GRAIN_BYTES);
      read(marker, place);
      long size = Marker.SIZE.get(marker, 0);
      if (size < 1 || size > encoded.encodedLength()) {
        throw new CorruptImageException(
            file.name() + ": the marker at " + place + " says " + size + " bytes of grain");
      }
      long rest = geometry.capacity() - firstByte(Marker.VALUE.get(marker, 0), place);
      least = (int) Math.min(unit.remaining(), rest);
      bytes = ByteBuffer.allocate((int) size);
      read(bytes, place + Marker.GRAIN_BYTES);
    } else {
      long most = Math.min(encoded.encodedLength(), file.size() - place);
      bytes = ByteBuffer.allocate((int) most);
      read(bytes, place);
    }
    codec.inflate(bytes.flip(), unit, least, file, place);
  }

  /**
   * Where on the disk the grain at a place begins, as its marker says.
   *
   * @throws CorruptImageException if that grain is said to be elsewhere
   */
  private long firstByte(long sector, long place) throws IOException {
    long grain = sector / geometry.grainSectors();
    boolean isIt =
        sector >= 0
            && sector < geometry.capacity() / SparseHeader.SECTOR
            && sector % geometry.grainSectors() == 0
            && tables.entry(grain) * SparseHeader.SECTOR == place;
    if (!isIt) {
      throw new CorruptImageException(
          String.format(
              "%s: the marker at %d is of sector %s, and no entry of that names it",
              geometry.file().name(), place, Long.toUnsignedString(sector)));
    }
    return grain * geometry.grainSize();
  }

  private void read(ByteBuffer bytes, long place) throws IOException {
    try {
      geometry.file().readFully(bytes, place);
    } catch (EOFException e) {
      throw new CorruptImageException(
          geometry.file().name() + ": compressed grain at " + place + " is past the end", e);
    }
  }

  @Override
  public void reload() throws IOException {
    places.growTo(geometry.file().size());
  }
}
