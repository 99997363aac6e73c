package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.feature.Checking;
import io.vdisk.feature.KeySlots;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.format.qcow2.Refcounts.Space;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.EncodedWriting;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.codec.RawDeflate;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An open qcow2 image: guest clusters through L1 and L2 tables to host clusters. It keeps:
 *
 * <ol>
 *   <li>A cluster is taken (counted) before a write, named by an L2 entry at its commit.
 *   <li>A cluster that lost its entry goes to the quarantine; its count falls when the batch comes
 *       back, after its hole was punched and before it is offered again.
 *   <li>Only an entry with COPIED is written in place.
 * </ol>
 */
final class Qcow2Layout implements WritableLayout, EncodedWriting {
  private final HostFile file;
  private final Qcow2Header header;
  private final boolean hasBacking;
  private final Encryption encryption;
  private final ImageInfo info;
  private final int clusterBits;
  private final long clusterSize;
  private final Quarantine quarantine = new Quarantine();
  private final TableCache cache;
  private final WriteBack<WriteStage> writeBack;
  private final ClusterTables tables;
  private final Refcounts refcounts;
  private final TableKind features;
  private final RawDeflate deflate = new RawDeflate();

  /** Whether the header says what it must before the image is changed. */
  private volatile boolean marked;

  /** Where the next compressed bytes go, under the metadata lock; 0: into a new cluster. */
  private long appendAt;

  /**
   * An image.
   *
   * @param encryption of its data; owned by the layout
   */
  Qcow2Layout(
      HostFile file,
      Qcow2Header header,
      ImageInfo info,
      CacheBudget budget,
      boolean hasBacking,
      Encryption encryption)
      throws IOException {
    this.file = file;
    this.header = header;
    this.info = info;
    this.hasBacking = hasBacking;
    this.encryption = encryption;
    this.clusterBits = header.clusterBits;
    this.clusterSize = header.clusterSize();
    this.cache = new TableCache(budget);
    this.writeBack =
        new WriteBack<>(WriteStage.class, WriteStage.L2_TABLE, cache, quarantine, List.of(file));
    this.tables = new ClusterTables(file, header, cache);
    this.refcounts = new Refcounts(file, header, cache, writeBack, quarantine);
    this.features = cache.add(new Features(file));
    this.marked = header.autoclear == 0;
  }

  /** The three feature fields of a version 3 header. */
  private static final class Features extends TableKind {
    static final int AUTOCLEAR = 2;

    Features(HostFile file) {
      super("features", file, ByteOrder.BIG_ENDIAN, 24, 24, WriteStage.HEADER);
    }

    @Override
    protected long position(Hold hold, long index) {
      return Qcow2Header.INCOMPATIBLE_FEATURES.offset();
    }
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    Slice entries = tables.entries(offset);
    if (entries == null) {
      return Mapping.backing(Math.min(length, tables.coverage() - offset % tables.coverage()));
    }
    int first = tables.indexOf(offset);
    L2Entry entry = new L2Entry(entries.word(first));
    long within = offset & (clusterSize - 1);
    if (entry.isCompressed()) {
      return Mapping.encoded(
          file,
          entry.compressedOffset(clusterBits),
          entry.compressedLength(clusterBits),
          Math.min(length, clusterSize - within));
    }
    if (entry.isZero()) {
      checkZero(offset);
    } else if (entry.isAllocated()) {
      checkAligned(entry, offset);
    }
    int last = first + 1;
    long run = clusterSize - within;
    while (run < length && last < entries.length() && continues(entry, entries, last, first)) {
      last++;
      run += clusterSize;
    }
    run = Math.min(run, length);
    if (entry.isZero()) {
      return Mapping.zero(run);
    }
    return entry.isAllocated()
        ? Mapping.stored(file, entry.offset() + within, run, entry.isCopied())
        : Mapping.backing(run);
  }

  /** Whether entry {@code i} goes on with what entry {@code first} began. */
  private boolean continues(L2Entry entry, Slice entries, int i, int first) {
    L2Entry next = new L2Entry(entries.word(i));
    if (next.isCompressed()) {
      return false;
    }
    if (entry.isZero() || next.isZero()) {
      return entry.isZero() && next.isZero();
    }
    if (!entry.isAllocated() || !next.isAllocated()) {
      return entry.isAllocated() == next.isAllocated();
    }
    return next.offset() == entry.offset() + ((long) (i - first) << clusterBits)
        && next.isCopied() == entry.isCopied();
  }

  private void checkAligned(L2Entry entry, long offset) throws CorruptImageException {
    if ((entry.offset() & (clusterSize - 1)) != 0) {
      throw new CorruptImageException(
          file.name()
              + ": the L2 entry of guest offset "
              + offset
              + " names offset "
              + entry.offset()
              + ", which is not cluster aligned");
    }
  }

  private void checkZero(long offset) throws CorruptImageException {
    if (header.version < 3) {
      throw new CorruptImageException(
          file.name() + ": a zero cluster at guest offset " + offset + " of a version 2 image");
    }
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return encryption.cipher();
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(encoded.encodedLength());
    file.readPadded(bytes, encoded.fileOffset());
    if (!deflate.inflate(bytes.flip(), unit)) {
      throw new CorruptImageException(
          file.name()
              + ": the compressed cluster at offset "
              + encoded.fileOffset()
              + " is broken");
    }
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    if (marked) {
      return;
    }
    writeBack.reserve(1);
    try {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                Slice fields = Objects.requireNonNull(hold.slice(features, 0));
                hold.set(fields, Features.AUTOCLEAR, 0);
                return true;
              });
    } finally {
      writeBack.release(1);
    }
    writeBack.run();
    marked = true;
  }

  /**
   * Runs a body that takes clusters, and adds refcount blocks as long as it says false. The
   * reservation is the caller's when this returns.
   */
  private void taking(int slices, TableCache.Body<Boolean> body) throws IOException {
    while (true) {
      writeBack.reserve(slices);
      boolean done = false;
      try {
        done = cache.locked(body);
        if (done) {
          return;
        }
      } finally {
        if (!done) {
          writeBack.release(slices);
        }
      }
      refcounts.grow();
    }
  }

  /** Makes sure that the entry for a guest offset has a table to lie in. */
  private void ensureTable(long offset) throws IOException {
    if (tables.entries(offset) != null) {
      return;
    }
    int slices = tables.slicesPerTable() + 2;
    taking(
        slices,
        hold -> {
          if (!tables.hasTable(hold, offset)) {
            Space space = refcounts.take(hold, clusterSize);
            if (space == null) {
              return false;
            }
            tables.create(hold, offset, space.offset());
          }
          return true;
        });
    writeBack.release(slices);
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    ensureTable(offset);
    long within = offset & (clusterSize - 1);
    long inSlice = (long) (tables.perSlice() - tables.indexOf(offset)) << clusterBits;
    long wanted = Math.min((within + length + clusterSize - 1) & -clusterSize, inSlice);
    ClusterAllocation[] made = new ClusterAllocation[1];
    taking(
        ClusterAllocation.SLICES,
        hold -> {
          Slice entries = entriesOf(hold, offset);
          L2Entry entry = new L2Entry(entries.word(tables.indexOf(offset)));
          if (entry.isZero() && entry.isAllocated() && entry.isCopied()) {
            checkAligned(entry, offset);
            Space own = new Space(entry.offset(), clusterSize, false);
            made[0] = new ClusterAllocation(offset, length, own, true);
            return true;
          }
          Space space = refcounts.take(hold, wanted);
          if (space == null) {
            return false;
          }
          made[0] = new ClusterAllocation(offset, length, space, false);
          return true;
        });
    return made[0];
  }

  private Slice entriesOf(Hold hold, long offset) throws IOException {
    return Objects.requireNonNull(tables.entries(hold, offset));
  }

  /** The space behind an entry that is about to be replaced loses a reference. */
  private void drop(L2Entry entry) {
    if (entry.isCompressed()) {
      long start = entry.compressedOffset(clusterBits);
      long end = start + entry.compressedLength(clusterBits);
      start &= -clusterSize;
      quarantine.add(start, ((end + clusterSize - 1) & -clusterSize) - start);
    } else if (entry.isAllocated()) {
      quarantine.add(entry.offset() & -clusterSize, clusterSize);
    }
  }

  /** Whole clusters for one write. */
  private final class ClusterAllocation implements Allocation {
    /** Refcounts when it is taken or aborted, entries when it is committed. */
    static final int SLICES = 2;

    private final long start;
    private final Space space;
    private final long head;
    private final long length;
    private final boolean isOwn;

    /**
     * An allocation.
     *
     * @param isOwn whether the guest cluster has this space already, and reads as zero
     */
    ClusterAllocation(long offset, long most, Space space, boolean isOwn) {
      this.head = offset & (clusterSize - 1);
      this.start = offset - head;
      this.length = Math.min(most, space.length() - head);
      this.space = space;
      this.isOwn = isOwn;
    }

    @Override
    public HostFile file() {
      return file;
    }

    @Override
    public long fileOffset() {
      return space.offset() + head;
    }

    @Override
    public long length() {
      return length;
    }

    @Override
    public long head() {
      return head;
    }

    @Override
    public long tail() {
      return space.length() - head - length;
    }

    @Override
    public boolean zeroed() {
      return space.zeroed();
    }

    @Override
    public void commit() throws IOException {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                Slice entries = entriesOf(hold, start);
                int first = tables.indexOf(start);
                for (int i = 0; i < space.length() >>> clusterBits; i++) {
                  if (!isOwn) {
                    drop(new L2Entry(entries.word(first + i)));
                  }
                  L2Entry entry = L2Entry.owned(space.offset() + ((long) i << clusterBits));
                  hold.set(entries, first + i, entry.raw());
                }
                return true;
              });
      writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      if (!isOwn) {
        uncount(space.offset(), space.length());
      }
      writeBack.release(SLICES);
    }
  }

  /** Gives back what was counted and never named. Where the host fails it stays counted: a leak. */
  private void uncount(long offset, long length) {
    try {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                forgetAppend(offset, length);
                long first = offset >>> clusterBits;
                long last = (offset + length - 1) >>> clusterBits;
                for (long cluster = first; cluster <= last; cluster++) {
                  refcounts.lookUp(hold, cluster);
                }
                for (long cluster = first; cluster <= last; cluster++) {
                  refcounts.decrement(hold, cluster);
                }
                return true;
              });
    } catch (IOException e) {
      // abort never throws, and a leak is what the format allows
    }
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (header.version < 3 && (hasBacking || keepSpace)) {
      return 0;
    }
    Slice known = tables.entries(offset);
    long inTable = tables.coverage() - offset % tables.coverage();
    if (known == null && !hasBacking) {
      return Math.min(length, inTable);
    }
    ensureTable(offset);
    long inSlice = (long) (tables.perSlice() - tables.indexOf(offset)) << clusterBits;
    long done = Math.min(length, inSlice);
    writeBack.reserve(1);
    try {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                Slice entries = entriesOf(hold, offset);
                int first = tables.indexOf(offset);
                int count = (int) ((done + clusterSize - 1) >>> clusterBits);
                for (int i = first; i < first + count; i++) {
                  zeroEntry(hold, entries, i, keepSpace);
                }
                return true;
              });
    } finally {
      writeBack.release(1);
    }
    return done;
  }

  private void zeroEntry(Hold hold, Slice entries, int i, boolean keepSpace) {
    L2Entry old = new L2Entry(entries.word(i));
    L2Entry next = hasBacking ? L2Entry.zero() : new L2Entry(0);
    if (keepSpace && old.isAllocated()) {
      next = old.withZero();
    }
    if (old.equals(next) || (old.isZero() && !old.isAllocated())) {
      return;
    }
    if (!next.isAllocated()) {
      drop(old);
    }
    hold.set(entries, i, next.raw());
  }

  @Override
  public void flush() throws IOException {
    writeBack.run();
  }

  @Override
  public long durableBatch() {
    return writeBack.durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return quarantine.bytes();
  }

  @Override
  public void recycle(long batch) throws IOException {
    List<Quarantine.Entry> entries = cache.locked(hold -> quarantine.take(batch));
    for (Quarantine.Entry entry : entries) {
      for (long at = entry.fileOffset();
          at < entry.fileOffset() + entry.length();
          at += clusterSize) {
        recycleCluster(at);
      }
    }
  }

  private void recycleCluster(long offset) throws IOException {
    long cluster = offset >>> clusterBits;
    boolean last =
        cache.locked(
            hold -> {
              boolean only = refcounts.count(hold, cluster) == 1;
              if (only) {
                // From here on nothing can raise the count again, so the hole harms nobody.
                forgetAppend(offset, clusterSize);
              }
              return only;
            });
    if (last) {
      boolean unused = file.zero(offset, clusterSize, false);
    }
    writeBack.reserve(1);
    try {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                refcounts.decrement(hold, cluster);
                return true;
              });
    } finally {
      writeBack.release(1);
    }
  }

  /** Compressed bytes are no longer added to a cluster in this range. */
  private void forgetAppend(long offset, long length) {
    long cluster = appendAt & -clusterSize;
    if (appendAt != 0 && cluster >= (offset & -clusterSize) && cluster < offset + length) {
      appendAt = 0;
    }
  }

  /** QEMU leaves compressed clusters of an encrypted image in the open, and makes none. */
  @Override
  public boolean canEncode() {
    return encryption.cipher().isEmpty();
  }

  @Override
  public int encode(ByteBuffer unit, ByteBuffer target) throws IOException {
    return deflate.deflate(unit, target, (int) clusterSize - 1);
  }

  @Override
  public Allocation allocateEncoded(long offset, int encodedLength) throws IOException {
    ensureTable(offset);
    EncodedAllocation[] made = new EncodedAllocation[1];
    taking(
        EncodedAllocation.SLICES,
        hold -> {
          entriesOf(hold, offset); // in memory before anything is taken
          Long at = place(hold, encodedLength);
          if (at == null) {
            return false;
          }
          made[0] = new EncodedAllocation(offset, at, encodedLength);
          return true;
        });
    return made[0];
  }

  /** Finds room for compressed bytes: behind the last ones if they fit, or go on behind them. */
  private @Nullable Long place(Hold hold, int length) throws IOException {
    long room = appendAt == 0 ? 0 : clusterSize - (appendAt & (clusterSize - 1));
    long at = appendAt;
    if (room > 0) {
      refcounts.lookUp(hold, at >>> clusterBits);
    }
    if (length <= room && refcounts.increment(hold, at >>> clusterBits)) {
      return appended(at, length);
    }
    Space space = refcounts.take(hold, clusterSize);
    if (space == null) {
      return null;
    }
    boolean follows = room > 0 && length > room && space.offset() == at + room;
    if (!follows || !refcounts.increment(hold, at >>> clusterBits)) {
      at = space.offset();
    }
    return appended(at, length);
  }

  private long appended(long at, int length) throws CorruptImageException {
    if (at + length > L2Entry.compressedLimit(clusterBits)) {
      throw new CorruptImageException(
          file.name() + ": offset " + at + " is too large for a compressed cluster");
    }
    long end = at + length;
    appendAt = (end & (clusterSize - 1)) == 0 ? 0 : end;
    return at;
  }

  /** Room for one compressed cluster. */
  private final class EncodedAllocation implements Allocation {
    /** Refcounts of two clusters when it is taken or aborted, entries when it is committed. */
    static final int SLICES = 3;

    private final long offset;
    private final long fileOffset;
    private final int encodedLength;

    EncodedAllocation(long offset, long fileOffset, int encodedLength) {
      this.offset = offset;
      this.fileOffset = fileOffset;
      this.encodedLength = encodedLength;
    }

    @Override
    public HostFile file() {
      return file;
    }

    @Override
    public long fileOffset() {
      return fileOffset;
    }

    @Override
    public long length() {
      return clusterSize;
    }

    @Override
    public long head() {
      return 0;
    }

    @Override
    public long tail() {
      return 0;
    }

    @Override
    public boolean zeroed() {
      return false;
    }

    @Override
    public void commit() throws IOException {
      boolean unused =
          cache.<Boolean>locked(
              hold -> {
                Slice entries = entriesOf(hold, offset);
                int i = tables.indexOf(offset);
                drop(new L2Entry(entries.word(i)));
                L2Entry entry = L2Entry.compressed(fileOffset, encodedLength, clusterBits);
                hold.set(entries, i, entry.raw());
                return true;
              });
      writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      uncount(fileOffset, encodedLength);
      writeBack.release(SLICES);
    }
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    if (type == Checking.class) {
      Checking checking =
          progress -> exclusive.call(() -> new Qcow2Checker(file, header, progress).check());
      return Optional.of(type.cast(checking));
    }
    if (type == KeySlots.class) {
      return encryption.keySlots(exclusive, () -> beforeWrite(0, 0)).map(type::cast);
    }
    return Optional.empty();
  }

  @Override
  public void reload() throws IOException {
    cache.abandon(); // what a body that failed has changed is not to be written
    boolean unused =
        cache.<Boolean>locked(
            hold -> {
              appendAt = 0;
              return true;
            });
    refcounts.reload();
  }

  @Override
  public void close() throws IOException {
    deflate.close();
    encryption.close();
  }

  /** Reserves a host cluster for every guest cluster; the caller sees that it reads as zero. */
  List<Space> preallocate() throws IOException {
    List<Space> made = new ArrayList<>();
    for (long offset = 0; offset < header.virtualSize; ) {
      Allocation space = allocate(offset, header.virtualSize - offset);
      space.commit();
      made.add(new Space(space.fileOffset(), space.length() + space.tail(), space.zeroed()));
      offset += space.length();
    }
    return made;
  }

  /** Whether the image may be written at all. */
  static boolean isWritable(Qcow2Header header) {
    return !header.has(Feature.DIRTY) && !header.has(Feature.CORRUPT);
  }
}
