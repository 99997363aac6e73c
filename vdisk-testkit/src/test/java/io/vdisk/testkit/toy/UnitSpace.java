package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.SpaceMap;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;

/**
 * Free space of a file whose tables are all there is to know about it: gaps between what they name,
 * and the end of the file. Under the metadata lock but for {@link #find}, which runs before the
 * image is used.
 */
final class UnitSpace {
  private final HostFile file;
  private final long start;
  private SpaceMap free = new SpaceMap();
  private long end;

  /** From here on the file has never been written. */
  private volatile long untouched;

  /** Space from {@code start} on. */
  UnitSpace(HostFile file, long start) {
    this.file = file;
    this.start = start;
  }

  /** Begins anew: everything is free but what {@link #use} will say. */
  void find() throws IOException {
    free = new SpaceMap();
    end = start;
    untouched = Math.max(untouched, file.size());
  }

  /** Whether a unit may begin there: damaged tables name what was never in the file. */
  boolean holds(long offset) {
    return offset >= start && offset < untouched;
  }

  /** The tables name this range, which begins where {@link #holds} allows it. */
  void use(long offset, long length) {
    if (offset + length > end) {
      free.add(end, offset + length - end);
      end = offset + length;
    }
    free.remove(offset, length);
  }

  /** Takes at least {@code least} bytes, and a multiple of it up to {@code most}. */
  Space take(long least, long most) {
    SpaceMap.Run run = free.take(least, most);
    if (run == null) {
      run = new SpaceMap.Run(end, most);
      end += most;
    }
    long length = run.length() - run.length() % least;
    if (length < run.length()) {
      free.add(run.offset() + length, run.length() - length);
    }
    boolean zeroed = run.offset() >= untouched;
    untouched = Math.max(untouched, run.offset() + length);
    return new Space(run.offset(), length, zeroed);
  }

  /** This range is free again. */
  void give(long offset, long length) {
    free.add(offset, length);
  }
}
