package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Goes through a snapshot table in the file, reading ahead. Strict: what is wrong is a {@link
 * CorruptImageException}. Otherwise as a repair wants it: past the file's end are zeroes, and extra
 * data beyond the limit is left out. One thread.
 */
final class SnapshotCursor {
  private static final int AHEAD = 64 << 10;

  private final HostFile file;
  private final long start;
  private final boolean strict;
  private final ByteBuffer buffer = ByteBuffer.allocate(AHEAD).limit(0);

  /** Where the next byte lies in the file. */
  private long at;

  private int entry;
  private int shortened;

  /** Begins at the table's first byte. */
  SnapshotCursor(HostFile file, long start, boolean strict) {
    this.file = file;
    this.start = start;
    this.strict = strict;
    this.at = start;
  }

  /** Goes to where the next entry begins, which is this one of the table. */
  void begin(int index) {
    entry = index;
    skip(-(at - start) & 7);
  }

  /** Bytes of the table before the next byte. */
  long bytes() {
    return at - start;
  }

  /** Entries whose extra data was too long. */
  int shortened() {
    return shortened;
  }

  /** The next bytes. */
  byte[] take(int count) throws IOException {
    byte[] taken = new byte[count];
    for (int done = 0; done < count; ) {
      if (!buffer.hasRemaining()) {
        fill();
      }
      int part = Math.min(count - done, buffer.remaining());
      buffer.get(taken, done, part);
      done += part;
      at += part;
    }
    return taken;
  }

  /** The extra data of an entry that says it has so many bytes of it. */
  RawBytes takeExtra(long count) throws IOException {
    int kept = (int) Math.min(count, SnapshotEntry.MAX_EXTRA);
    if (kept < count) {
      if (strict) {
        throw new CorruptImageException(
            file.name()
                + ": entry "
                + entry
                + " of the snapshot table at "
                + start
                + " has "
                + count
                + " bytes of extra data");
      }
      shortened++;
    }
    RawBytes extra = RawBytes.of(take(kept));
    skip(count - kept);
    return extra;
  }

  private void skip(long count) {
    at += count;
    if (count < buffer.remaining()) {
      buffer.position(buffer.position() + (int) count);
    } else {
      buffer.limit(0);
    }
  }

  private void fill() throws IOException {
    buffer.clear();
    if (at >= file.size() && strict) {
      throw new CorruptImageException(
          file.name()
              + ": entry "
              + entry
              + " of the snapshot table at "
              + start
              + " is past the end, at "
              + at);
    }
    if (strict) {
      file.read(buffer, at);
    } else {
      file.readPadded(buffer, at);
    }
    buffer.flip();
  }
}
