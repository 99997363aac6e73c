package io.vdisk.format.vmdk;

import com.google.common.collect.ImmutableRangeMap;
import com.google.common.collect.Range;
import io.vdisk.Capability;
import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.Quarantine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An open image: finds the extent of a guest byte, and asks that. */
final class VmdkLayout implements WritableLayout {
  private final VmdkImage image;
  private final List<PlacedExtent> extents;

  /** Made again when the last extent has another size. */
  private volatile ImmutableRangeMap<Long, PlacedExtent> byOffset;

  /** The only extent of most images. */
  private final @Nullable PlacedExtent only;

  private final long granule;
  private volatile ImageInfo info;

  VmdkLayout(VmdkImage image) throws IOException {
    this.image = image;
    this.extents = image.extents();
    long alignment = 0;
    for (PlacedExtent placed : extents) {
      alignment |= placed.start() | placed.extent().unit();
    }
    this.byOffset = byOffset(extents);
    this.only = extents.size() == 1 ? extents.get(0) : null;
    this.granule = Long.lowestOneBit(alignment);
    this.info = VmdkDescription.of(image);
  }

  private static ImmutableRangeMap<Long, PlacedExtent> byOffset(List<PlacedExtent> extents) {
    ImmutableRangeMap.Builder<Long, PlacedExtent> map = ImmutableRangeMap.builder();
    for (PlacedExtent placed : extents) {
      if (placed.extent().size() > 0) {
        map.put(Range.closedOpen(placed.start(), placed.end()), placed);
      }
    }
    return map.build();
  }

  private PlacedExtent at(long offset) {
    PlacedExtent single = only;
    return single != null ? single : Objects.requireNonNull(byOffset.get(offset));
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    PlacedExtent at = at(offset);
    return at.extent().map(offset - at.start(), Math.min(length, at.end() - offset));
  }

  @Override
  public long unitStart(long offset) {
    PlacedExtent at = at(offset);
    long within = offset - at.start();
    return at.start() + (within & -at.extent().unit());
  }

  @Override
  public long unitEnd(long offset) {
    PlacedExtent at = at(offset);
    return at.start() + at.extent().unitEnd(offset - at.start());
  }

  @Override
  public long granule() {
    return granule;
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    for (PlacedExtent placed : extents) {
      Optional<HostFile> file = placed.extent().file();
      if (file.isPresent() && file.get().equals(encoded.file())) {
        placed.extent().decode(encoded, unit);
        return;
      }
    }
    throw new IllegalStateException("no extent has " + encoded);
  }

  /** Zeroing is cheap where an entry says it: everywhere, or the engine writes zeroes. */
  @Override
  public Set<Capability> capabilities() {
    boolean isFast =
        extents.stream()
            .map(PlacedExtent::extent)
            .allMatch(
                extent ->
                    extent instanceof SparseExtent sparse
                        && (sparse.geometry().hasZeroed() || !image.tables().hasBacking()));
    return isFast
        ? EnumSet.of(Capability.DISCARD, Capability.FAST_ZERO)
        : EnumSet.of(Capability.DISCARD);
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    for (long at = offset; at < offset + length; ) {
      PlacedExtent placed = at(at);
      placed.extent().beforeWrite();
      at = placed.end();
    }
    if (!image.isChanged() && image.markChanged()) {
      info = VmdkDescription.of(image);
    }
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    PlacedExtent at = at(offset);
    return at.extent().allocate(offset - at.start(), Math.min(length, at.end() - offset));
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    PlacedExtent at = at(offset);
    return at.extent().zero(offset - at.start(), Math.min(length, at.end() - offset), keepSpace);
  }

  @Override
  public void flush() throws IOException {
    image.tables().writeBack().run();
  }

  @Override
  public void finish() throws IOException {
    for (PlacedExtent placed : extents) {
      placed.extent().finish();
    }
  }

  @Override
  public long durableBatch() {
    return image.tables().writeBack().durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return image.tables().quarantine().bytes();
  }

  @Override
  public void recycle(long batch) throws IOException {
    ExtentTables tables = image.tables();
    List<Quarantine.Entry> freed =
        tables.cache().locked(hold -> new ArrayList<>(tables.quarantine().take(batch)));
    for (Quarantine.Entry entry : freed) {
      VmdkExtent extent = extents.get(ExtentTables.extentOf(entry)).extent();
      extent.recycle(ExtentTables.placeOf(entry), entry.length());
    }
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return new VmdkFeatures(image, exclusive).find(type);
  }

  @Override
  public void reload() throws IOException {
    ExtentTables tables = image.tables();
    tables.locked(hold -> tables.quarantine().abandon(durableBatch()));
    image.reload();
    byOffset = byOffset(extents);
    info = VmdkDescription.of(image);
  }

  @Override
  public void close() throws IOException {
    image.close();
  }
}
