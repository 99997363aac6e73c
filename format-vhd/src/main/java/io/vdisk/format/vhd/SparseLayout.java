package io.vdisk.format.vhd;

import io.vdisk.Capability;
import io.vdisk.ImageInfo;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.Quarantine;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An open dynamic or differencing disk: guest blocks through the block allocation table to the
 * file, each behind a bitmap of its sectors.
 *
 * <p>A new block of a dynamic disk has all its sectors at once, and reads as zero where nothing was
 * written: QEMU looks at no bitmap. Blocks of differencing and of encrypted disks get their sectors
 * as they are written.
 */
final class SparseLayout implements WritableLayout {
  /** Blocks that one call gives up at most: others shall not wait too long for a lock. */
  private static final int MOST_BLOCKS = 512;

  private final SparseMetadata metadata;
  private final Optional<SectorCipher> cipher;
  private final boolean isDifferencing;
  private final VhdDescription description;
  private final VhdFeatures features;
  private volatile ImageInfo info;
  private volatile boolean changed;

  /**
   * A disk.
   *
   * @param cipher of its data; owned by the layout if it can be closed
   */
  SparseLayout(
      SparseMetadata metadata,
      Optional<SectorCipher> cipher,
      VhdDescription description,
      VhdFeatures features)
      throws IOException {
    this.metadata = metadata;
    this.cipher = cipher;
    this.isDifferencing = metadata.structures().isDifferencing();
    this.description = description;
    this.features = features;
    this.info = description.ofSparse(metadata.structures());
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public long unitStart(long offset) {
    return offset & -metadata.structures().blockSize();
  }

  @Override
  public long unitEnd(long offset) {
    return unitStart(offset) + metadata.structures().blockSize();
  }

  @Override
  public long granule() {
    return Structures.SECTOR;
  }

  @Override
  public Set<Capability> capabilities() {
    return isDifferencing || cipher.isPresent()
        ? EnumSet.of(Capability.DISCARD)
        : EnumSet.of(Capability.DISCARD, Capability.FAST_ZERO);
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    metadata.refresh();
    return metadata.tables().map(offset, length);
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return cipher;
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    metadata.refresh();
    features.checkTakesWrites(metadata.file);
    if (!changed) {
      changed = true;
    }
  }

  /** Whether sectors are in a block only when they were written. */
  private boolean isBySector() {
    return isDifferencing || cipher.isPresent();
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    BlockTables tables = metadata.tables();
    int slices = tables.slicesOfNewBlock();
    metadata.writeBack.reserve(slices);
    boolean done = false;
    try {
      Allocation space = tables.hasPlace(offset) ? inPlace(offset, length) : inNew(offset, length);
      done = true;
      return space;
    } finally {
      if (!done) {
        metadata.writeBack.release(slices);
      }
    }
  }

  /** Sectors that a block has not yet, in its own place. */
  private Allocation inPlace(long offset, long length) throws IOException {
    long place = metadata.cache.locked(hold -> metadata.tables().place(hold, offset));
    long most = Math.min(length, unitEnd(offset) - offset);
    return SectorAllocation.inBlock(metadata, place, offset, most);
  }

  private Allocation inNew(long offset, long length) throws IOException {
    BlockSpace space = metadata.space();
    BlockSpace.Place place;
    space.growing.lock();
    try {
      place = metadata.cache.locked(hold -> space.take());
      boolean done = false;
      try {
        space.moveFooter(place);
        done = true;
      } finally {
        if (!done) {
          metadata.locked(hold -> space.give(place.offset(), false));
        }
      }
      metadata.tables().growTo(space.limit());
    } finally {
      space.growing.unlock();
    }
    long most = Math.min(length, unitEnd(offset) - offset);
    return SectorAllocation.ofBlock(metadata, place, offset, most, isBySector());
  }

  /**
   * Whole blocks of a dynamic disk lose their places. What has no place reads as zero there
   * already; other sectors are zeroed where they lie, if the host can.
   */
  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    Mapping run = metadata.tables().map(offset, length);
    long bytes = Math.min(run.length(), length);
    if (run.kind() == Mapping.Kind.BACKING) {
      return isDifferencing ? 0 : bytes;
    }
    long end = Math.min(unitEnd(offset), metadata.structures().virtualSize());
    if (!isDifferencing && !keepSpace && offset == unitStart(offset) && offset + length >= end) {
      return forget(offset, length);
    }
    return cipher.isEmpty() && run.file().zero(run.fileOffset(), bytes, keepSpace) ? bytes : 0;
  }

  /** Takes their places from the blocks that begin at {@code offset} and lie in the range. */
  private long forget(long offset, long length) throws IOException {
    Structures structures = metadata.structures();
    long blockSize = structures.blockSize();
    long end = offset + length;
    long blocks = Math.min(MOST_BLOCKS, structures.blocksOf(length));
    if (end < structures.virtualSize()) {
      blocks = Math.min(blocks, length / blockSize);
    }
    Batmap batmap = metadata.batmap();
    if (batmap != null) {
      batmap.clear(offset / blockSize, blocks);
    }
    for (long i = 0; i < blocks; i++) {
      long at = offset + i * blockSize;
      if (metadata.tables().hasPlace(at)) {
        metadata.changing(
            metadata.tables().slicesOfNewBlock(),
            hold -> {
              long place = metadata.tables().forget(hold, at);
              metadata.quarantine.add(place, structures.stride());
            });
      }
    }
    return Math.min(end, offset + blocks * blockSize) - offset;
  }

  @Override
  public void flush() throws IOException {
    metadata.writeBack.run();
  }

  @Override
  public long durableBatch() {
    return metadata.writeBack.durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return metadata.quarantine.bytes();
  }

  /** Space that the host can punch reads as zero; other space is written whole when it is used. */
  @Override
  public void recycle(long batch) throws IOException {
    metadata.refresh();
    List<Quarantine.Entry> freed =
        metadata.cache.locked(hold -> new ArrayList<>(metadata.quarantine.take(batch)));
    for (Quarantine.Entry entry : freed) {
      boolean zeroed = false;
      try {
        zeroed = metadata.file.zero(entry.fileOffset(), entry.length(), false);
      } finally {
        boolean clean = zeroed;
        metadata.locked(hold -> metadata.space().give(entry.fileOffset(), clean));
      }
    }
  }

  @Override
  public void finish() throws IOException {
    if (!changed) {
      return;
    }
    Batmap batmap = metadata.batmap();
    if (batmap != null) {
      batmap.settle();
    }
    BlockSpace space = metadata.space();
    if (space.hasTail()) {
      space.cutTail(UsedSpace.read(metadata.structures(), space.limit()).end());
    }
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return features.find(type, exclusive, metadata);
  }

  @Override
  public void reload() throws IOException {
    metadata.reload();
    info = description.ofSparse(metadata.structures());
  }

  @Override
  public void close() throws IOException {
    if (cipher.orElse(null) instanceof Closeable keys) {
      keys.close();
    }
    metadata.cache.abandon();
  }
}
