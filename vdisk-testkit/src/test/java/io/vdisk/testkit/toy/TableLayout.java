package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Journal;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Units of 4 KiB in one flat table of {@link ToyEntry}, which was laid out at creation. What lies
 * between the units that it names is free: nothing can leak.
 */
abstract class TableLayout extends ToyLayout<TableLayout.Stage> {
  static final int UNIT = 4096;
  static final int SLICE = 512;
  static final int PER_SLICE = SLICE / Long.BYTES;

  /** Words of the header: where the table begins, and where the units do. */
  static final int TABLE_OFFSET = 0;

  static final int DATA_OFFSET = 1;

  /** Slices that an allocation changes: the table, and what {@link #take} and give change. */
  private static final int SLICES = 2;

  /** All tables at once. */
  enum Stage {
    /** Exposes guest data. */
    TABLE
  }

  /** Where the tables lie. */
  private final HostFile tables;

  /** Where the units lie. */
  final HostFile data;

  private final WriteBack<Stage> writeBack;
  private final TableKind table;
  private final UnitSpace space;

  /**
   * A layout.
   *
   * @param tables where the tables lie
   * @param data where the units lie; the same file or another
   * @param journal null: tables are updated in place
   */
  TableLayout(ToyFormat.Parts parts, HostFile tables, HostFile data, @Nullable Journal journal)
      throws IOException {
    super(parts);
    this.tables = tables;
    this.data = data;
    List<HostFile> dataFiles = List.of(data);
    this.writeBack =
        journal == null
            ? new WriteBack<>(Stage.class, Stage.TABLE, cache, quarantine, dataFiles)
            : new WriteBack<>(Stage.class, Stage.TABLE, cache, quarantine, dataFiles, journal);
    long offset = header.offsetWord(TABLE_OFFSET, file);
    this.table = addTable("unit table", offset, tableBytes(size));
    this.space = new UnitSpace(data, header.word(DATA_OFFSET, 0, data.size(), file));
    findSpace();
  }

  /** Bytes of the table: whole slices. */
  static long tableBytes(long virtualSize) {
    return Math.max(1, ToyFormat.ceilDiv(virtualSize, (long) UNIT * PER_SLICE)) * SLICE;
  }

  /** A table that lies at one place for ever. */
  final TableKind addTable(String name, long offset, long bytes) {
    return cache.add(
        new TableKind(name, tables, ByteOrder.BIG_ENDIAN, SLICE, bytes, Stage.TABLE) {
          @Override
          protected long position(Hold hold, long index) {
            return offset + index * SLICE;
          }
        });
  }

  private void findSpace() throws IOException {
    space.find();
    ToyBytes bytes = new ToyBytes(tables);
    for (int unit = 0; (long) unit * UNIT < size; unit++) {
      ToyEntry entry = new ToyEntry(bytes.word(header.words().get(TABLE_OFFSET), unit));
      if (entry.isValid() && space.holds(entry.offset())) {
        space.use(entry.offset(), spaceOf(entry));
      }
    }
  }

  /** Host bytes behind an entry that has some. */
  static long spaceOf(ToyEntry entry) {
    return entry.isEncoded() ? ToyFormat.ceilDiv(entry.encodedLength(), SECTOR) * SECTOR : UNIT;
  }

  @Override
  final WriteBack<Stage> writeBack() {
    return writeBack;
  }

  private static int indexOf(long offset) {
    return (int) (offset / UNIT % PER_SLICE);
  }

  private static long sliceOf(long offset) {
    return offset / UNIT / PER_SLICE;
  }

  private Slice entries(Hold hold, long offset) throws IOException {
    return Objects.requireNonNull(hold.slice(table, sliceOf(offset)));
  }

  @Override
  public final Mapping map(long offset, long length) throws IOException {
    Slice entries = Objects.requireNonNull(cache.load(table, sliceOf(offset)));
    ToyEntry entry = new ToyEntry(entries.word(indexOf(offset)));
    if (entry.isAllocated() && !isPlace(entry.offset())) {
      throw new CorruptImageException(
          file.name() + ": the entry of guest offset " + offset + " names " + entry.offset());
    }
    return run(entries, indexOf(offset), data, offset, length);
  }

  /** Whether units lie there. */
  boolean isPlace(long fileOffset) {
    return space.holds(fileOffset);
  }

  /** Takes space for units, or for sectors of an encoded one; changes at most one slice. */
  Space take(Hold hold, long least, long most) throws IOException {
    return space.take(least, most);
  }

  /** Offers space again; changes at most one slice. */
  void give(Hold hold, long offset, long length) throws IOException {
    space.give(offset, length);
  }

  @Override
  public final Allocation allocate(long offset, long length) throws IOException {
    long start = offset - offset % UNIT;
    long inSlice = (long) (PER_SLICE - indexOf(offset)) * UNIT;
    long wanted = Math.min(ToyFormat.ceilDiv(offset + length - start, UNIT) * UNIT, inSlice);
    return new Units(take(UNIT, wanted), start, offset, length);
  }

  /** Reserves what an allocation may change, and takes its space. */
  final Space take(long least, long most) throws IOException {
    writeBack.reserve(SLICES);
    boolean taken = false;
    try {
      Space made = cache.locked(hold -> take(hold, least, most));
      taken = true;
      return made;
    } finally {
      if (!taken) {
        writeBack.release(SLICES);
      }
    }
  }

  /** Space for whole units, or for the compressed bytes of one. */
  class Units extends ToyAllocation {
    Units(Space space, long start, long offset, long most) {
      super(data, space, start, offset, most);
    }

    /** The entry of the {@code i}-th unit. */
    ToyEntry entry(int i) {
      return ToyEntry.stored(spaceOffset + (long) i * UNIT);
    }

    @Override
    public final void commit() throws IOException {
      long end = start + head() + length() + tail();
      locked(hold -> replace(hold, start, end, this::entry));
      writeBack.release(SLICES);
    }

    @Override
    public final void abort() {
      try {
        locked(hold -> give(hold, spaceOffset, spaceLength));
      } catch (IOException e) {
        // Lost until the image is opened again.
      } finally {
        writeBack.release(SLICES);
      }
    }
  }

  private interface Entries {
    ToyEntry at(int i);
  }

  /** Sets the entries of a range of one slice; what they named loses its reference. */
  private void replace(Hold hold, long start, long end, Entries entries) throws IOException {
    Slice slice = entries(hold, start);
    for (int i = 0; i < ToyFormat.ceilDiv(end - start, UNIT); i++) {
      ToyEntry old = new ToyEntry(slice.word(indexOf(start) + i));
      if (old.isAllocated() && isPlace(old.offset())) {
        quarantine.add(old.offset(), spaceOf(old));
      }
      if (!old.equals(entries.at(i))) {
        hold.set(slice, indexOf(start) + i, entries.at(i).raw());
      }
    }
  }

  @Override
  public final long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (keepSpace) {
      return 0;
    }
    long done = Math.min(length, (long) (PER_SLICE - indexOf(offset)) * UNIT);
    ToyEntry entry = hasBacking ? ToyEntry.ZERO : ToyEntry.NONE;
    change(1, hold -> replace(hold, offset, offset + done, i -> entry));
    return done;
  }

  @Override
  public final void recycle(long batch) throws IOException {
    List<Quarantine.Entry> freed = cache.locked(hold -> quarantine.take(batch));
    for (Quarantine.Entry entry : freed) {
      boolean unused = data.zero(entry.fileOffset(), entry.length(), false);
      change(1, hold -> give(hold, entry.fileOffset(), entry.length()));
    }
  }

  @Override
  void check(CheckReport.Builder report) throws IOException {
    ToyBytes bytes = new ToyBytes(tables);
    ToyBytes units = data.equals(tables) ? bytes : new ToyBytes(data);
    Map<Long, Integer> users = new TreeMap<>();
    long allocated = 0;
    long encoded = 0;
    for (int unit = 0; (long) unit * UNIT < size; unit++) {
      ToyEntry entry = new ToyEntry(bytes.word(header.words().get(TABLE_OFFSET), unit));
      if (!entry.isValid()) {
        report.add(Severity.ERROR, "entry " + unit + " is " + entry);
      } else if (entry.isAllocated()) {
        allocated++;
        encoded += entry.isEncoded() ? 1 : 0;
        checkPlace(unit, entry, units, users, report);
      }
    }
    report.units(ToyFormat.ceilDiv(size, UNIT), allocated, encoded, 0);
  }

  private void checkPlace(
      int unit,
      ToyEntry entry,
      ToyBytes units,
      Map<Long, Integer> users,
      CheckReport.Builder report) {
    if (entry.offset() < header.words().get(DATA_OFFSET) || !units.has(entry.offset())) {
      report.add(Severity.ERROR, "entry " + unit + " is not among the units: " + entry);
    }
    for (long at = 0; at < spaceOf(entry); at += SECTOR) {
      Integer other = users.put(entry.offset() + at, unit);
      if (other != null && other != unit) {
        report.add(Severity.ERROR, "units " + other + " and " + unit + " share " + entry);
      }
    }
  }

  @Override
  public void reload() throws IOException {
    super.reload();
    locked(hold -> findSpace());
  }
}
