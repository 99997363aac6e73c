package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.spi.Pause.Point;
import io.vdisk.spi.Stage.Act;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * What the gate is for, in little: units are mapped to cells by a table that readers look at
 * without a lock, and a cell that no unit names any more is used again after a grace period. A
 * reader that finds another unit's bytes was let down. Finds by chance what {@link GateTest} finds
 * by design; bounded by reads, not by time.
 */
class GateStressTest {
  private static final int READERS = 4;
  private static final int READS = 15_000;
  private static final int UNITS = 64;
  private static final int CELLS = 256;
  private static final int FREE = -1;

  /** Rounds of the recycler between two times alone. */
  private static final int ROUNDS = 200;

  private final long seed = System.nanoTime();

  private final Gate gate = new Gate(this::dawdle);
  private final AtomicIntegerArray table = new AtomicIntegerArray(UNITS); // unit to cell
  private final AtomicIntegerArray cells = new AtomicIntegerArray(CELLS); // cell to its unit
  private final AtomicLong steps = new AtomicLong();
  private volatile boolean alone;

  // The recycler's.
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Deque<Integer> free = new ArrayDeque<>();
  private final List<Integer> removed = new ArrayList<>(); // waits for the next period
  private final List<Integer> waning = new ArrayList<>(); // waits for the running one

  @Test
  void noRequestSeesTheSpaceOfAnother() throws Exception {
    System.out.println("GateStressTest seed " + seed);
    for (int cell = 0; cell < CELLS; cell++) {
      cells.set(cell, cell < UNITS ? cell : FREE);
      if (cell < UNITS) {
        table.set(cell, cell);
      } else {
        free.add(cell);
      }
    }
    List<Act<Integer>> readers = new ArrayList<>();
    for (int i = 0; i < READERS; i++) {
      SplittableRandom own = random.split();
      readers.add(Stage.start(() -> read(own)));
    }

    int recycled = recycleWhile(readers);

    for (Act<Integer> reader : readers) {
      assertEquals(0, reader.result(), "reads of another's space, seed " + seed);
    }
    assertTrue(recycled > 0, "seed " + seed);
  }

  private int read(SplittableRandom own) throws Exception {
    int bad = 0;
    for (int i = 0; i < READS; i++) {
      int slot = gate.enter();
      int unit = own.nextInt(UNITS);
      int cell = table.get(unit);
      switch (own.nextInt(100)) {
        case 0 -> LockSupport.parkNanos(20_000);
        case 1, 2, 3, 4 -> Thread.yield();
        default -> {}
      }
      if (cells.get(cell) != unit || alone) {
        bad++;
      }
      gate.exit(slot);
    }
    return bad;
  }

  private int recycleWhile(List<Act<Integer>> readers) throws Exception {
    int recycled = 0;
    for (int round = 1; !readers.stream().allMatch(Act::isDone); round++) {
      remap();
      if (gate.pollGrace()) {
        recycled += recycle(waning);
        waning.addAll(removed);
        removed.clear();
        gate.beginGrace();
      }
      if (round % ROUNDS == 0) {
        gate.closeExclusive();
        alone = true;
        recycled += recycle(waning) + recycle(removed);
        Thread.yield();
        alone = false;
        gate.openExclusive();
      }
    }
    return recycled;
  }

  private void remap() {
    for (int i = 0; i < 16 && !free.isEmpty(); i++) {
      int unit = random.nextInt(UNITS);
      int cell = free.remove();
      cells.set(cell, unit);
      removed.add(table.getAndSet(unit, cell));
    }
  }

  private int recycle(List<Integer> batch) {
    for (int cell : batch) {
      cells.set(cell, FREE);
      free.add(cell);
    }
    int count = batch.size();
    batch.clear();
    return count;
  }

  /** Makes some of those who enter late between the epoch and the count. */
  private void dawdle(Point point) {
    if (point == Point.EPOCH_READ && steps.getAndIncrement() % 64 == 0) {
      LockSupport.parkNanos(10_000);
    }
  }
}
