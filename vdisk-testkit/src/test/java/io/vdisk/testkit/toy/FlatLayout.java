package io.vdisk.testkit.toy;

import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.file.HostFile;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.SpaceMap;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.util.Objects;

/** See {@link FlatFormat}. A mark is one word: 1, the unit is in use. */
final class FlatLayout extends TableLayout {
  private final HostFile tables;
  private final TableKind marks;
  private final long marksOffset;
  private final long markCount;
  private final long dataOffset;

  /** What the marks say, under the metadata lock. */
  private SpaceMap free = new SpaceMap();

  FlatLayout(ToyFormat.Parts parts, HostFile tables, ToyLog log) throws IOException {
    super(parts, tables, parts.file(), log);
    this.tables = tables;
    this.marksOffset = header.words().get(FlatFormat.MARKS_OFFSET);
    this.markCount = header.words().get(FlatFormat.MARKS);
    this.dataOffset = header.words().get(DATA_OFFSET);
    long slices = Math.max(1, ToyFormat.ceilDiv(markCount, PER_SLICE));
    this.marks = addTable("marks", marksOffset, slices * SLICE);
    findFree();
  }

  private void findFree() throws IOException {
    free = new SpaceMap();
    ToyBytes bytes = new ToyBytes(tables);
    for (int i = 0; i < markCount; i++) {
      if (bytes.word(marksOffset, i) == 0) {
        free.add(dataOffset + (long) i * UNIT, UNIT);
      }
    }
  }

  @Override
  boolean isPlace(long fileOffset) {
    long within = fileOffset - dataOffset;
    return within >= 0 && within % UNIT == 0 && within / UNIT < markCount;
  }

  private long unitOf(long fileOffset) {
    return (fileOffset - dataOffset) / UNIT;
  }

  private Slice marks(Hold hold, long unit) throws IOException {
    return Objects.requireNonNull(hold.slice(marks, unit / PER_SLICE));
  }

  @Override
  Space take(Hold hold, long least, long most) throws IOException {
    SpaceMap.Run run = free.take(least, most);
    if (run == null) {
      throw new NoSpaceException(file.name() + ": all " + markCount + " units are in use");
    }
    boolean taken = false;
    try {
      long first = unitOf(run.offset());
      Slice slice = marks(hold, first);
      long units = Math.min(run.length() / UNIT, PER_SLICE - first % PER_SLICE);
      for (int i = 0; i < units; i++) {
        hold.set(slice, (int) (first % PER_SLICE) + i, 1);
      }
      long length = units * UNIT;
      if (length < run.length()) {
        free.add(run.offset() + length, run.length() - length);
      }
      taken = true;
      return new Space(run.offset(), length, false);
    } finally {
      if (!taken) {
        free.add(run.offset(), run.length());
      }
    }
  }

  @Override
  void give(Hold hold, long offset, long length) throws IOException {
    long first = unitOf(offset);
    Slice slice = marks(hold, first);
    for (int i = 0; i < length / UNIT; i++) {
      hold.set(slice, (int) (first % PER_SLICE) + i, 0);
    }
    free.add(offset, length);
  }

  @Override
  void check(CheckReport.Builder report) throws IOException {
    super.check(report);
    ToyBytes bytes = new ToyBytes(tables);
    boolean[] used = new boolean[(int) markCount];
    for (int unit = 0; (long) unit * UNIT < size; unit++) {
      ToyEntry entry = new ToyEntry(bytes.word(header.words().get(TABLE_OFFSET), unit));
      if (entry.isAllocated()) {
        int mark = (int) unitOf(entry.offset());
        if (mark < 0 || mark >= markCount || bytes.word(marksOffset, mark) != 1) {
          report.add(Severity.ERROR, "unit " + unit + " is in use and not marked: " + entry);
        } else {
          used[mark] = true;
        }
      }
    }
    for (int i = 0; i < markCount; i++) {
      if (bytes.word(marksOffset, i) != 0 && !used[i]) {
        report.add(Severity.LEAK, "unit " + i + " of the file is marked and not in use");
      }
    }
  }

  @Override
  public void reload() throws IOException {
    super.reload();
    locked(hold -> findFree());
  }
}
