package io.vdisk.backend.tap;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What each sector of a disk may hold, by what its guest asked and what was answered. A write fills
 * its sectors with a number of its own, 8 bytes each. Any thread.
 */
final class DiskModel {
  static final int SECTOR = 512;

  /** What a write changes: each of its sectors. */
  record Change(int sector, List<SectorHistory.Write> writes) {
    static final Change NONE = new Change(0, List.of());
  }

  private final SectorHistory[] histories;
  private long step;
  private long lastValue;

  DiskModel(int sectors) {
    this.histories = new SectorHistory[sectors];
    for (int i = 0; i < sectors; i++) {
      histories[i] = new SectorHistory();
    }
  }

  int sectors() {
    return histories.length;
  }

  /** Something is about to be asked. */
  synchronized SectorHistory.Moment ask(int queue, long epoch) {
    return new SectorHistory.Moment(step++, queue, epoch);
  }

  /** What no write has written yet. */
  synchronized long newValue() {
    return ++lastValue;
  }

  synchronized Change write(int sector, int count, long value, SectorHistory.Moment asked) {
    return change(sector, count, value, asked, false);
  }

  synchronized Change discard(int sector, int count, SectorHistory.Moment asked) {
    return change(sector, count, 0, asked, true);
  }

  private Change change(
      int sector, int count, long value, SectorHistory.Moment asked, boolean isDiscard) {
    List<SectorHistory.Write> writes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      SectorHistory.Write write = new SectorHistory.Write(value, asked, isDiscard);
      histories[sector + i].add(write);
      writes.add(write);
    }
    return new Change(sector, writes);
  }

  /** A request was answered that changed this, or nothing. */
  synchronized void answer(Change change) {
    change.writes().forEach(write -> write.answer(step));
    next();
  }

  /** It was answered with an error, and perhaps done before. */
  synchronized void fail(Change change) {
    change.writes().forEach(write -> write.fail(step));
    next();
  }

  /** It was answered with an error, and not done. */
  synchronized void refuse(Change change) {
    for (int i = 0; i < change.writes().size(); i++) {
      histories[change.sector() + i].remove(change.writes().get(i));
    }
    next();
  }

  private void next() {
    step++;
    notifyAll();
  }

  /** Returns when so much was asked and answered. */
  synchronized void awaitStep(long wanted) throws InterruptedException {
    while (step < wanted) {
      wait();
    }
  }

  /** Holds what was read of a sector, at a place of a buffer, against what may stand there. */
  synchronized void check(int sector, ByteBuffer bytes, int at, SectorHistory.Moment read) {
    Set<Long> values = new LinkedHashSet<>();
    for (int i = 0; i < SECTOR; i += 8) {
      values.add(bytes.getLong(at + i));
    }
    if (!histories[sector].mayHold(values, read)) {
      throw new IllegalStateException(
          "sector "
              + sector
              + " holds the writes "
              + values
              + " at "
              + read
              + ", of "
              + histories[sector]);
    }
  }
}
