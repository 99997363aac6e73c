package io.vdisk.format.qcow2;

import java.io.IOException;
import java.util.Arrays;

/**
 * How often each L2 table is named, by the active L1 table and by those of snapshots: so that a
 * table is looked at once, however many name it. A word a use, packed; where they become too many
 * they are handed on in portions, and a table may come more than once. One thread.
 *
 * <pre>
 * bits 17-63 offset of the table / 512
 * bit  16    named by snapshots
 * bits 0-15  how often, minus 1
 * </pre>
 */
final class TableUses {
  private static final int SECTOR_BITS = 9;
  private static final int KEY_SHIFT = 17;
  private static final long KEPT = 1 << 16;
  private static final long TIMES = KEPT - 1;

  /** 64 MiB: all uses of the largest active L1 table, and as many of snapshots. */
  private static final int MOST = 8 << 20;

  private final Body body;
  private long[] uses = new long[1024];
  private int count;

  /** Takes a table, and how often it is named. */
  interface Body {
    void table(long offset, long active, long kept) throws IOException;
  }

  TableUses(Body body) {
    this.body = body;
  }

  void add(long offset, long times, boolean active) throws IOException {
    for (long left = times; left > 0; left -= TIMES + 1) {
      if (count == uses.length) {
        makeRoom();
      }
      long packed = Math.min(left, TIMES + 1) - 1;
      uses[count++] = (offset >>> SECTOR_BITS << KEY_SHIFT) | (active ? 0 : KEPT) | packed;
    }
  }

  private void makeRoom() throws IOException {
    if (uses.length < MOST) {
      uses = Arrays.copyOf(uses, uses.length * 2);
      return;
    }
    merge();
    if (count > MOST / 2) {
      handOn();
    }
  }

  /** Adds up uses of one table as far as they fit a word. */
  private void merge() {
    Arrays.sort(uses, 0, count);
    int kept = 0;
    for (int i = 1; i < count; i++) {
      long sum = (uses[kept] & TIMES) + (uses[i] & TIMES) + 1;
      if (uses[kept] >> 16 == uses[i] >> 16 && sum <= TIMES) {
        uses[kept] = (uses[kept] & ~TIMES) | sum;
      } else {
        uses[++kept] = uses[i];
      }
    }
    count = Math.min(count, kept + 1);
  }

  /** Hands the tables on that are left, in the order of the file, and forgets them. */
  void handOn() throws IOException {
    Arrays.sort(uses, 0, count);
    for (int i = 0; i < count; ) {
      long key = uses[i] >>> KEY_SHIFT;
      long active = 0;
      long kept = 0;
      for (; i < count && uses[i] >>> KEY_SHIFT == key; i++) {
        long times = (uses[i] & TIMES) + 1;
        active += (uses[i] & KEPT) == 0 ? times : 0;
        kept += (uses[i] & KEPT) != 0 ? times : 0;
      }
      body.table(key << SECTOR_BITS, active, kept);
    }
    count = 0;
  }
}
