package io.vdisk.spi.metadata;

import java.util.Map;
import java.util.TreeMap;

/**
 * Free space in a host file, as far as it is known. A set: space may be reported more than once, by
 * a cursor that passes and by recycling. All methods are called under the metadata lock.
 */
public final class SpaceMap {
  /** Start to end of each free run; runs neither touch nor overlap. */
  private final TreeMap<Long, Long> runs = new TreeMap<>();

  private long bytes;

  /** This space is free. */
  public void add(long offset, long length) {
    long start = offset;
    long end = Math.addExact(offset, length);
    Map.Entry<Long, Long> before = runs.floorEntry(start);
    if (before != null && before.getValue() >= start) {
      start = before.getKey();
    }
    for (Map.Entry<Long, Long> run = runs.ceilingEntry(start);
        run != null && run.getKey() <= end;
        run = runs.ceilingEntry(start)) {
      end = Math.max(end, run.getValue());
      bytes -= run.getValue() - run.getKey();
      runs.remove(run.getKey());
    }
    runs.put(start, end);
    bytes += end - start;
  }

  /** This space is not free. */
  public void remove(long offset, long length) {
    long end = Math.addExact(offset, length);
    for (Map.Entry<Long, Long> run = runs.lowerEntry(end);
        run != null && run.getValue() > offset;
        run = runs.lowerEntry(end)) {
      runs.remove(run.getKey());
      bytes -= run.getValue() - run.getKey();
      if (run.getValue() > end) {
        put(end, run.getValue());
      }
      if (run.getKey() < offset) {
        put(run.getKey(), offset);
        return;
      }
    }
  }

  /**
   * Takes the first run of at least {@code least} bytes, up to {@code most} of them.
   *
   * @return the run; null if there is none
   */
  public @org.jspecify.annotations.Nullable Run take(long least, long most) {
    for (Map.Entry<Long, Long> run : runs.entrySet()) {
      long start = run.getKey();
      long length = run.getValue() - start;
      if (length >= least) {
        Run taken = new Run(start, Math.min(length, most));
        remove(taken.offset(), taken.length());
        return taken;
      }
    }
    return null;
  }

  /** Bytes known to be free. */
  public long bytes() {
    return bytes;
  }

  private void put(long start, long end) {
    runs.put(start, end);
    bytes += end - start;
  }

  /**
   * A run of free space.
   *
   * @param offset first byte
   * @param length bytes
   */
  public record Run(long offset, long length) {}
}
