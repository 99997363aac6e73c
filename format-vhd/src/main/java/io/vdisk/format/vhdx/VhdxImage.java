package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.Limits;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.HostFile;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An open file: its headers, its log, its tables and its free space. What {@link #reload} replaces
 * is read by requests inside their slot of the gate.
 */
final class VhdxImage {
  private final LoggedFile logged;
  private final HostFile file;
  private final HeaderPair headers;
  private final VhdxLog log;
  private final Limits limits;
  private final CacheBudget budget;
  private final boolean writable;
  private final ReferencePolicy references;
  private final Optional<BlockDevice> backing;
  private final Quarantine quarantine = new Quarantine();
  private final ReentrantLock growing = new ReentrantLock();

  /** Whether what follows may be of before the last change of the image as a whole. */
  private volatile boolean stale;

  /** Whether the free space is known, and the log has begun. */
  private volatile boolean prepared;

  private volatile boolean spaceKnown;
  private volatile VhdxStructure structure;
  private volatile BlockTables tables;
  private volatile BlockSpace space;
  private volatile ImageInfo info;

  /** The last durable batch of tables that are no more. */
  private volatile long batchBefore;

  /**
   * An image.
   *
   * @param file as it is when the log was replayed
   */
  VhdxImage(
      HostFile file,
      HeaderPair headers,
      VhdxStructure structure,
      OpenContext context,
      Optional<BlockDevice> backing)
      throws IOException {
    this.file = file;
    this.logged = new LoggedFile(file);
    this.headers = headers.of(logged);
    this.log = new VhdxLog(logged, this.headers);
    this.limits = context.limits();
    this.budget = context.cacheBudget();
    this.writable = context.writable();
    this.references = context.options().references();
    this.backing = backing;
    this.structure = structure;
    this.tables = newTables(structure);
    this.space = new BlockSpace(file, structure.ranges());
    this.info = describe(structure);
  }

  private BlockTables newTables(VhdxStructure now) {
    return new BlockTables(logged, now.disk(), now.bat().offset(), budget, quarantine, log);
  }

  private ImageInfo describe(VhdxStructure now) {
    return VhdxDescription.of(file, now.disk(), headers.current());
  }

  HostFile file() {
    return file;
  }

  HeaderPair headers() {
    return headers;
  }

  VhdxLog log() {
    return log;
  }

  Quarantine quarantine() {
    return quarantine;
  }

  /** Under the metadata lock. */
  BlockSpace space() {
    return space;
  }

  ImageInfo info() {
    return info;
  }

  long blockSize() {
    return structure.disk().blockSize();
  }

  long sectorSize() {
    return structure.disk().logicalSector();
  }

  boolean isWritable() {
    return writable;
  }

  ReferencePolicy references() {
    return references;
  }

  /** The {@code DataWriteGuid} of the parent that the image was opened over, as it is now. */
  Optional<Guid> parentGuid() {
    return backing
        .map(device -> device.info().details().get(VhdxDescription.DATA_WRITE_GUID))
        .map(guid -> Guid.of(guid.toString()));
  }

  boolean isFixed() {
    return structure.disk().leavesBlocksAllocated();
  }

  VhdxStructure structure() {
    return structure;
  }

  /** The tables that the file has now. */
  BlockTables tables() throws IOException {
    if (stale) {
      readAgain();
    }
    return tables;
  }

  long durableBatch() {
    return Math.max(batchBefore, tables.writeBack.durableBatch());
  }

  /**
   * Called before every change: the first finds the free space, then marks the file durably. A
   * block that shares its space is refused before anything is written.
   */
  void beforeChange() throws IOException {
    if (prepared) {
      return;
    }
    Optional<String> brokenLog = headers.brokenLog();
    if (brokenLog.isPresent()) {
      throw new CorruptImageException(brokenLog.get());
    }
    if (stale) {
      readAgain();
    }
    log.begin(this::findSpace);
    info = describe(structure);
    prepared = true;
  }

  /** Reads the block allocation table through; nothing of it has been changed yet. */
  private void findSpace() throws IOException {
    if (spaceKnown) {
      return;
    }
    VhdxStructure now = structure;
    BlockSpace found = new BlockSpace(file, now.ranges());
    BatGeometry geometry = BatGeometry.of(now.disk());
    long size = file.size();
    BatScan.scan(
        file,
        now,
        (number, entry) -> {
          long length =
              geometry.isBitmapEntry(number) ? BatGeometry.BITMAP_BLOCK : geometry.blockSize();
          if (entry.offset() >= FileRanges.HEADER_SECTION
              && entry.offset() <= size - length
              && !found.use(entry.offset(), length)
              && entry.mayHavePlace()) {
            throw new CorruptImageException(
                file.name()
                    + ": BAT entry "
                    + number
                    + " names space at "
                    + entry.offset()
                    + " that something else has");
          }
          return true;
        });
    tables.locked(hold -> space = found);
    spaceKnown = true;
  }

  /** Sees that the file has so many bytes. */
  void growTo(long bytes) throws IOException {
    growing.lock();
    try {
      if (file.size() < bytes) {
        file.resize(bytes);
        logged.grew();
      }
    } finally {
      growing.unlock();
    }
  }

  /**
   * Reads the structures again, and forgets all tables: somebody was alone on the image. Where that
   * fails, whoever comes next tries again before anything else is done.
   */
  void reload() throws IOException {
    stale = true;
    prepared = false;
    spaceKnown = false;
    // What a body that failed has changed is not to be written, and what it dropped is in use.
    batchBefore = durableBatch();
    tables.cache.abandon();
    tables.locked(hold -> quarantine.abandon(batchBefore));
    readAgain();
  }

  private synchronized void readAgain() throws IOException {
    if (!stale) {
      return;
    }
    VhdxStructure now = VhdxStructure.read(file, headers.current(), limits);
    tables.cache.abandon();
    structure = now;
    tables = newTables(now);
    info = describe(now);
    stale = false;
  }

  /** Reads the structures again within a change by who is alone. */
  void readStructureAgain() throws IOException {
    structure = VhdxStructure.read(file, headers.current(), limits);
  }

  private long endOfSpace() throws IOException {
    BlockSpace used = new BlockSpace(file, structure.ranges());
    BatGeometry geometry = BatGeometry.of(structure.disk());
    long[] end = {used.end()};
    BatScan.scan(
        file,
        structure,
        (number, entry) -> {
          long length =
              geometry.isBitmapEntry(number) ? BatGeometry.BITMAP_BLOCK : geometry.blockSize();
          end[0] = Math.max(end[0], entry.offset() == 0 ? 0 : entry.offset() + length);
          return true;
        });
    return end[0];
  }

  /** Whether the file ends behind all that is in use. */
  boolean hasUnusedEnd() throws IOException {
    long size = file.size();
    return !isFixed() && size < file.capacity() && endOfSpace() < size;
  }

  /**
   * Cuts the file where the space in use ends; by who is alone, after {@link #beforeChange}. The
   * log says first how short the file may be.
   */
  void giveBackEnd() throws IOException {
    if (!hasUnusedEnd()) {
      return;
    }
    long end = endOfSpace();
    log.shrinkTo(end);
    file.resize(end);
    file.flush();
  }

  void abandon() {
    tables.cache.abandon();
  }
}
