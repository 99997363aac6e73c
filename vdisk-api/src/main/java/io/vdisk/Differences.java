package io.vdisk;

import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** What a range of a disk reads before and after its backing file is another one. One thread. */
final class Differences {
  /** What is written is rounded to at least so many bytes: what differs mostly lies together. */
  private static final int LEAST_GRANULE = 4 << 10;

  private final ByteBuffer before;
  private final ByteBuffer after;

  /** For ranges of at most {@code capacity} bytes, a power of two. */
  Differences(int capacity) {
    this.before = ByteBuffer.allocateDirect(capacity);
    this.after = ByteBuffer.allocateDirect(capacity);
  }

  void readBefore(BlockDevice device, long offset, int length) throws IOException {
    before.clear().limit(length);
    device.read(before, offset);
    before.flip();
  }

  /** The same range of another device; zeroes where there is none, and beyond its end. */
  void readAfter(Optional<BlockDevice> device, long offset) throws IOException {
    after.clear().limit(before.limit());
    if (device.isPresent() && offset < device.get().size()) {
      after.limit((int) Math.min(before.limit(), device.get().size() - offset));
      device.get().read(after, offset);
      after.limit(before.limit());
    }
    Zeroes.fill(after);
    after.flip();
  }

  /**
   * Writes what was read before wherever something else would be read after.
   *
   * @param offset of the range
   * @return bytes written
   */
  long write(BlockDevice overlay, long offset) throws IOException {
    long unit = Long.highestOneBit(overlay.info().unit());
    int granule = (int) Math.min(before.capacity(), Math.max(LEAST_GRANULE, unit));
    int length = before.limit();
    long written = 0;
    int from = mismatch(0, length);
    while (from >= 0) {
      int start = Math.max(0, granuleStart(from, granule, offset));
      int end = start;
      do {
        end = Math.min(length, granuleStart(end, granule, offset) + granule);
      } while (end < length && mismatch(end, Math.min(length, end + granule)) >= 0);
      write(overlay, offset, start, end);
      written += end - start;
      from = mismatch(end, length);
    }
    return written;
  }

  private void write(BlockDevice overlay, long offset, int start, int end) throws IOException {
    ByteBuffer bytes = before.duplicate().limit(end).position(start);
    if (!Zeroes.only(bytes)) {
      overlay.write(bytes, offset + start);
      return;
    }
    overlay.writeZeroes(offset + start, end - start);
    // What reads as zero already may have been left as it is, where the format has no zero units.
    for (int at = start; at < end; ) {
      Extent extent = overlay.extentAt(offset + at, end - at);
      int length = (int) extent.length();
      if (!ImageRebase.isHeld(extent)) {
        overlay.write(before.duplicate().limit(at + length).position(at), offset + at);
      }
      at += length;
    }
  }

  /** Where the granule around a place in the buffers begins, which may be before them. */
  private static int granuleStart(int place, int granule, long offset) {
    return (int) ((offset + place & -(long) granule) - offset);
  }

  /** The first place of a range where the two differ; below 0 if there is none. */
  private int mismatch(int from, int to) {
    int found =
        before
            .duplicate()
            .limit(to)
            .position(from)
            .mismatch(after.duplicate().limit(to).position(from));
    return found < 0 ? found : from + found;
  }
}
