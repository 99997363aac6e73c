package io.vdisk.format.vhd;

import java.util.List;

/** Ranges of the file in which no block may lie. Immutable. */
final class MetadataAreas {
  private final long[] starts;
  private final long[] ends;
  private final long end;

  /** Ranges, each an offset and a length; what does not fit into a file is left out. */
  MetadataAreas(List<long[]> areas) {
    starts = new long[areas.size()];
    ends = new long[areas.size()];
    long last = 0;
    for (int i = 0; i < starts.length; i++) {
      long[] area = areas.get(i);
      if (area[0] >= 0 && area[1] >= 0 && area[0] <= Long.MAX_VALUE - area[1]) {
        starts[i] = area[0];
        ends[i] = area[0] + area[1];
        last = Math.max(last, ends[i]);
      }
    }
    end = last;
  }

  /** Where the last of them ends. */
  long end() {
    return end;
  }

  /** Whether something of a range is in them. */
  boolean touches(long offset, long length) {
    if (offset >= end) {
      return false;
    }
    for (int i = 0; i < starts.length; i++) {
      if (offset < ends[i] && starts[i] < offset + length) {
        return true;
      }
    }
    return false;
  }
}
