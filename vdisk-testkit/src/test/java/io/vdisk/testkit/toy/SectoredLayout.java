package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.SectoredFormat.BLOCK;
import static io.vdisk.testkit.toy.SectoredFormat.PER_SECTOR;
import static io.vdisk.testkit.toy.SectoredFormat.SECTORS;
import static io.vdisk.testkit.toy.SectoredFormat.STRIDE;

import io.vdisk.Capability;
import io.vdisk.CorruptImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * See {@link SectoredFormat}. The bitmaps are one kind of table whose slices are numbered by the
 * place of their block in the file, not by guest offset: a reader that found a block in the block
 * allocation table finds the bitmap of that block, whatever happens to the entry meanwhile. Bits of
 * a block are only set; then its entry is; the bitmap is forgotten when the block is offered again.
 */
final class SectoredLayout extends ToyLayout<SectoredLayout.Stage> {
  /** Each is durable before the next. */
  enum Stage {
    /** The bitmap of a block that nothing names yet. */
    NEW_BLOCK,
    /** Exposes guest data: entries, and bitmaps of blocks that have one. */
    EXPOSE
  }

  private final WriteBack<Stage> writeBack;
  private final TableKind bat;
  private final TableKind bitmaps;
  private final UnitSpace space;
  private final long batOffset;
  private final long dataOffset;

  SectoredLayout(ToyFormat.Parts parts) throws IOException {
    super(parts);
    this.writeBack = new WriteBack<>(Stage.class, Stage.EXPOSE, cache, quarantine, List.of(file));
    this.batOffset = header.offsetWord(SectoredFormat.BAT_OFFSET, file);
    this.dataOffset = header.word(SectoredFormat.DATA_OFFSET, SECTOR, file.size(), file);
    this.bat = cache.add(new Bat());
    this.bitmaps = cache.add(new Bitmaps());
    this.space = new UnitSpace(file, dataOffset);
    findSpace();
  }

  private final class Bat extends TableKind {
    Bat() {
      super(
          "block allocation table",
          file,
          ByteOrder.BIG_ENDIAN,
          SECTOR,
          SectoredFormat.batBytes(size),
          Stage.EXPOSE);
    }

    @Override
    protected long position(Hold hold, long index) {
      return batOffset + index * SECTOR;
    }
  }

  private final class Bitmaps extends TableKind {
    Bitmaps() {
      super(
          "sector bitmap",
          file,
          ByteOrder.BIG_ENDIAN,
          SECTOR,
          mostBlocks() * SECTOR,
          Stage.EXPOSE,
          Stage.NEW_BLOCK);
    }

    @Override
    protected long position(Hold hold, long index) {
      return dataOffset + index * STRIDE;
    }
  }

  /** Blocks that the file may have: those in the quarantine come on top. */
  private long mostBlocks() {
    return 2 * ToyFormat.ceilDiv(size, BLOCK) + 256;
  }

  private void findSpace() throws IOException {
    space.find();
    ToyBytes bytes = new ToyBytes(file);
    for (int i = 0; (long) i * BLOCK < size; i++) {
      long block = bytes.word(batOffset, i);
      if (space.holds(block) && (block - dataOffset) % STRIDE == 0) {
        space.use(block, STRIDE);
      }
    }
  }

  @Override
  WriteBack<Stage> writeBack() {
    return writeBack;
  }

  @Override
  public long granule() {
    return SECTOR;
  }

  @Override
  public Set<Capability> capabilities() {
    return hasBacking ? EnumSet.noneOf(Capability.class) : super.capabilities();
  }

  private static int entryOf(long offset) {
    return (int) (offset / BLOCK % PER_SECTOR);
  }

  private Slice bat(Hold hold, long offset) throws IOException {
    return Objects.requireNonNull(hold.slice(bat, offset / BLOCK / PER_SECTOR));
  }

  /** Which bitmap belongs to the block at a place in the file. */
  private long bitmapOf(long block) throws CorruptImageException {
    long index = (block - dataOffset) / STRIDE;
    if (!space.holds(block) || (block - dataOffset) % STRIDE != 0 || index >= mostBlocks()) {
      throw new CorruptImageException(file.name() + ": a block at " + block);
    }
    return index;
  }

  private static boolean isHere(long bits, int sector) {
    return (bits >>> sector & 1) != 0;
  }

  /** The first sector from {@code first} on whose bit is another than that of {@code first}. */
  private static int endOfRun(long bits, int first) {
    int end = first + 1;
    while (end < SECTORS && isHere(bits, end) == isHere(bits, first)) {
      end++;
    }
    return end;
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    Slice entries = Objects.requireNonNull(cache.load(bat, offset / BLOCK / PER_SECTOR));
    long block = entries.word(entryOf(offset));
    long within = offset % BLOCK;
    if (block == 0) {
      return Mapping.backing(Math.min(length, BLOCK - within));
    }
    long bits = Objects.requireNonNull(cache.load(bitmaps, bitmapOf(block))).word(0);
    int first = (int) (within / SECTOR);
    long run = Math.min(length, (long) endOfRun(bits, first) * SECTOR - within);
    return isHere(bits, first)
        ? Mapping.stored(file, block + SECTOR + within, run, true)
        : Mapping.backing(run);
  }

  /** The range is a run of sectors that are not here: {@link #map} said so. */
  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    int first = (int) (offset % BLOCK / SECTOR);
    long end = Math.min(offset % BLOCK + length, BLOCK);
    int last = (int) ToyFormat.ceilDiv(end, SECTOR);
    writeBack.reserve(Sectors.SLICES);
    boolean taken = false;
    try {
      Sectors made =
          cache.locked(
              hold -> {
                long own = bat(hold, offset).word(entryOf(offset));
                Space block = own != 0 ? new Space(own, STRIDE, false) : take();
                return new Sectors(block, own != 0, first, last, offset, length);
              });
      taken = true;
      return made;
    } finally {
      if (!taken) {
        writeBack.release(Sectors.SLICES);
      }
    }
  }

  private Space take() throws IOException {
    Space block = space.take(STRIDE, STRIDE);
    if ((block.offset() - dataOffset) / STRIDE >= mostBlocks()) {
      space.give(block.offset(), STRIDE);
      throw new NoSpaceException(file.name() + " cannot have more than " + mostBlocks());
    }
    return block;
  }

  /** Sectors of a block, which may be new. */
  private final class Sectors extends ToyAllocation {
    /** The bitmap and the entry. */
    static final int SLICES = 2;

    private final long block;
    private final boolean isOwn;
    private final long mask;

    Sectors(Space block, boolean isOwn, int first, int last, long offset, long most) {
      super(
          file,
          new Space(
              block.offset() + (long) (1 + first) * SECTOR,
              (long) (last - first) * SECTOR,
              block.zeroed()),
          offset - offset % SECTOR,
          offset,
          most);
      this.block = block.offset();
      this.isOwn = isOwn;
      this.mask = (1L << last) - (1L << first);
    }

    @Override
    public void commit() throws IOException {
      long index = bitmapOf(block);
      locked(
          hold -> {
            Slice entries = bat(hold, start);
            Slice bitmap =
                isOwn
                    ? Objects.requireNonNull(hold.slice(bitmaps, index))
                    : hold.create(bitmaps, index, block, entries);
            hold.set(bitmap, 0, bitmap.word(0) | mask);
            if (!isOwn) {
              hold.set(entries, entryOf(start), block);
            }
          });
      writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      try {
        if (!isOwn) {
          locked(hold -> space.give(block, STRIDE));
        }
      } catch (IOException e) {
        throw new AssertionError("nothing is read here", e);
      } finally {
        writeBack.release(SLICES);
      }
    }
  }

  /** Goes to the end of one block at most: what is not here, or the whole block. */
  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (hasBacking || keepSpace) {
      return 0;
    }
    Mapping run = map(offset, length);
    if (run.kind() == Mapping.Kind.BACKING) {
      return run.length();
    }
    long whole = Math.min(BLOCK, size - offset);
    if (offset % BLOCK != 0 || length < whole) {
      return 0;
    }
    change(
        1,
        hold -> {
          Slice entries = bat(hold, offset);
          quarantine.add(entries.word(entryOf(offset)), STRIDE);
          hold.set(entries, entryOf(offset), 0);
        });
    return whole;
  }

  /**
   * The cached bitmaps go before the blocks are offered. They are clean: the entry's removal is
   * durable, nothing sets bits behind it, and the write-back that wrote the one wrote the other.
   *
   * <p>The block keeps its bytes on the host, as where the host cannot punch holes: so its next
   * bitmap must be on disk before an entry names it again.
   */
  @Override
  public void recycle(long batch) throws IOException {
    List<Quarantine.Entry> freed = cache.locked(hold -> quarantine.take(batch));
    for (Quarantine.Entry entry : freed) {
      long index = bitmapOf(entry.fileOffset());
      locked(
          hold -> {
            Slice bitmap = cache.peek(bitmaps, index);
            if (bitmap != null) {
              hold.remove(bitmap);
            }
            space.give(entry.fileOffset(), STRIDE);
          });
    }
  }

  @Override
  void check(CheckReport.Builder report) throws IOException {
    ToyBytes bytes = new ToyBytes(file);
    Set<Long> used = new HashSet<>();
    for (int i = 0; (long) i * BLOCK < size; i++) {
      long block = bytes.word(batOffset, i);
      if (block == 0) {
        continue;
      }
      if ((block - dataOffset) % STRIDE != 0 || !bytes.has(block) || !used.add(block)) {
        report.add(Severity.ERROR, "entry " + i + " names a block at " + block);
        continue;
      }
      long bits = bytes.word(block, 0);
      for (int sector = 0; sector < Long.SIZE; sector++) {
        if (isHere(bits, sector)
            && (sector >= SECTORS || !bytes.has(block + (1L + sector) * SECTOR))) {
          report.add(Severity.ERROR, "block at " + block + ": no sector " + sector);
        }
      }
    }
    report.units(ToyFormat.ceilDiv(size, BLOCK), used.size(), 0, 0);
  }

  @Override
  public void reload() throws IOException {
    super.reload();
    locked(hold -> findSpace());
  }
}
