package io.vdisk.format.vmdk;

import com.google.common.collect.Range;
import com.google.common.collect.RangeSet;
import com.google.common.collect.TreeRangeSet;
import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.OpenContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Opens the extents of one image, in the order of the disk. Used once. */
final class ExtentOpener {
  private static final int SECTOR = SparseHeader.SECTOR;

  private final HostFile image;
  private final OpenContext context;
  private final ExtentTables tables;
  private final GrainCodec codec;
  private final List<HostFile> files;
  private final List<PlacedExtent> placed = new ArrayList<>();

  /** What of each file is taken by extents, by the file's key. */
  private final Map<Object, RangeSet<Long>> taken = new HashMap<>();

  private final Map<String, HostFile> byName = new HashMap<>();

  /** Names of the files that are written. */
  private final Set<String> written = new HashSet<>();

  private long end;

  /**
   * An opener.
   *
   * @param files gets those that guest data is written to
   */
  ExtentOpener(
      HostFile image,
      OpenContext context,
      ExtentTables tables,
      GrainCodec codec,
      List<HostFile> files) {
    this.image = image;
    this.context = context;
    this.tables = tables;
    this.codec = codec;
    this.files = files;
  }

  /** The extent that the image itself is. */
  List<PlacedExtent> openItself(ByteBuffer firstSector) throws IOException {
    VmdkExtent extent;
    ExtentType type;
    if (CowdHeader.isThere(firstSector)) {
      extent = cowd(image, Optional.empty());
      type = ExtentType.VMFSSPARSE;
    } else if (SeSparseHeader.isThere(firstSector)) {
      extent = seSparse(image);
      type = ExtentType.SESPARSE;
    } else {
      extent = sparse(image, Optional.empty());
      type = ExtentType.SPARSE;
    }
    add(extent, new ExtentLine(ExtentAccess.RW, extent.size() / SECTOR, type, image.name(), 0));
    return placed;
  }

  /** The extents that a descriptor names. */
  List<PlacedExtent> open(Descriptor descriptor) throws IOException {
    List<ExtentLine> lines = descriptor.extents();
    if (lines.isEmpty()) {
      throw new CorruptImageException(image.name() + ": descriptor without an extent");
    }
    for (ExtentLine line : lines) {
      if (line.access() == ExtentAccess.RW) {
        written.add(line.name());
      }
    }
    for (ExtentLine line : lines) {
      checkSize(end / SECTOR + line.sectors());
      add(open(line), line);
    }
    return placed;
  }

  private void checkSize(long sectors) throws IOException {
    if (sectors > SparseHeader.MAX_SECTORS) {
      throw new CorruptImageException(image.name() + ": its extents have more than 64 TiB");
    }
    context.limits().checkVirtualSize(sectors * SECTOR, image.name());
  }

  private void add(VmdkExtent extent, ExtentLine line) throws IOException {
    context.limits().checkVirtualSize(end + extent.size(), image.name());
    placed.add(new PlacedExtent(end, extent, line));
    end += extent.size();
    extent.file().filter(file -> !files.contains(file)).ifPresent(files::add);
  }

  private VmdkExtent open(ExtentLine line) throws IOException {
    if (line.access() == ExtentAccess.NOACCESS) {
      return new HiddenExtent(line, image.name());
    }
    return switch (line.type()) {
      case ZERO -> new ZeroExtent(line.sectors() * SECTOR, image.name());
      case FLAT, VMFS, VMFSRAW -> {
        HostFile file = file(line);
        FlatExtent extent = new FlatExtent(file, line);
        take(file, line, line.offsetSectors() * SECTOR, extent.size());
        yield extent;
      }
      case SPARSE -> whole(line, sparse(file(line), readOnly(line)));
      case VMFSSPARSE -> whole(line, cowd(file(line), readOnly(line)));
      case SESPARSE -> whole(line, seSparse(file(line)));
      case VMFSRDM ->
          throw new UnsupportedImageException(
              image.name()
                  + ": extent '"
                  + line.name()
                  + "' stands for a device of an ESXi host, and only that knows which");
    };
  }

  private static Optional<String> readOnly(ExtentLine line) {
    return line.access() == ExtentAccess.RW
        ? Optional.empty()
        : Optional.of("the extent is " + line.access());
  }

  /** A file that several extents name is opened once, for writing if one of them is written. */
  private HostFile file(ExtentLine line) throws IOException {
    HostFile known = byName.get(line.name());
    if (known != null) {
      return known;
    }
    boolean isWritten = context.writable() && written.contains(line.name());
    HostFile file =
        context.file(
            new Reference(Reference.Kind.EXTENT, line.name(), Optional.empty(), image, isWritten));
    if (file.key().equals(image.key())) {
      throw new CorruptImageException(
          image.name() + ": the descriptor is named as extent '" + line.name() + "'");
    }
    byName.put(line.name(), file);
    return file;
  }

  /** An extent that has a file to itself, and must be as large as the descriptor says. */
  private VmdkExtent whole(ExtentLine line, VmdkExtent extent) throws IOException {
    HostFile file = extent.file().orElseThrow();
    if (extent.size() != line.sectors() * SECTOR) {
      throw new CorruptImageException(
          String.format(
              "%s: extent '%s' is said to have %d sectors, its header says %d",
              image.name(), line.name(), line.sectors(), extent.size() / SECTOR));
    }
    take(file, line, 0, Long.MAX_VALUE);
    return extent;
  }

  private void take(HostFile file, ExtentLine line, long start, long length)
      throws CorruptImageException {
    RangeSet<Long> ranges = taken.computeIfAbsent(file.key(), key -> TreeRangeSet.create());
    Range<Long> range = Range.closedOpen(start, start + length);
    if (ranges.intersects(range)) {
      throw new CorruptImageException(
          image.name() + ": extent '" + line.name() + "' overlaps another one");
    }
    ranges.add(range);
  }

  private VmdkExtent sparse(HostFile file, Optional<String> readOnly) throws IOException {
    SparseHeader header = SparseHeader.read(file);
    Limits limits = context.limits();
    limits.checkVirtualSize(header.capacity() * SECTOR, image.name());
    GrainGeometry geometry = header.geometry(file, limits);
    if (header.isCompressed()) {
      return new CompressedExtent(tables, geometry, codec, header.is(SparseHeader.MARKERS));
    }
    Optional<String> why = readOnly;
    if (header.version() == SparseHeader.VERSION_STREAM) {
      why = Optional.of("its version keeps account of changed blocks, which is not kept here");
    }
    return new SparseExtent(
        tables, placed.size(), geometry, UncleanMark.of(file, header), null, why);
  }

  private VmdkExtent cowd(HostFile file, Optional<String> readOnly) throws IOException {
    CowdHeader header = CowdHeader.read(file);
    context.limits().checkVirtualSize(header.sectors() * SECTOR, image.name());
    return new SparseExtent(
        tables,
        placed.size(),
        header.geometry(file, context.limits()),
        UncleanMark.of(file, header),
        new FreeSector(file, tables.cache()),
        readOnly);
  }

  private VmdkExtent seSparse(HostFile file) throws IOException {
    SeSparseHeader header = SeSparseHeader.read(file);
    context.limits().checkVirtualSize(header.capacity() * SECTOR, image.name());
    return new SeSparseExtent(file, header, tables, context.limits());
  }
}
