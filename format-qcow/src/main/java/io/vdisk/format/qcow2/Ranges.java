package io.vdisk.format.qcow2;

import java.io.IOException;
import java.util.Arrays;

/**
 * Ranges of the file that may overlap, 65,536 tables in one place for instance: to go through every
 * byte once, knowing how many ranges it lies in. One thread.
 */
final class Ranges {
  private long[] starts = new long[16];
  private long[] ends = new long[16];
  private int count;

  /** Takes a part of the file that lies in this many ranges. */
  interface Body {
    void part(long from, long to, long times) throws IOException;
  }

  void add(long from, long to) {
    if (from >= to) {
      return;
    }
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, count * 2);
      ends = Arrays.copyOf(ends, count * 2);
    }
    starts[count] = from;
    ends[count] = to;
    count++;
  }

  /** Goes through the parts in the order of the file; those in no range are left out. */
  void each(Body body) throws IOException {
    long[] in = Arrays.copyOf(starts, count);
    long[] out = Arrays.copyOf(ends, count);
    Arrays.sort(in);
    Arrays.sort(out);
    long from = 0;
    for (int i = 0, o = 0; o < count; ) {
      long at = i < count ? Math.min(in[i], out[o]) : out[o];
      if (at > from && i > o) {
        body.part(from, at, i - o);
      }
      while (i < count && in[i] == at) {
        i++;
      }
      while (o < count && out[o] == at) {
        o++;
      }
      from = at;
    }
  }
}
