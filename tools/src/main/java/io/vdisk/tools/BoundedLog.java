package io.vdisk.tools;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A log that does not fill the disk it lies on: a guest that connects, breaks its ring and begins
 * again has a line written each time. What comes too fast is left out, and counted. Any thread may
 * call; each call is one entry.
 */
final class BoundedLog extends FilterOutputStream {
  /** Bytes that may come at once: more than a day has where nothing is wrong. */
  static final long MOST_AT_ONCE = 1 << 20;

  /** Bytes that may come in the long run: 8 MiB a day. */
  static final long BYTES_PER_SECOND = 100;

  /** Once something was left out it goes on when there is room for so many bytes. */
  private static final long ROOM_TO_GO_ON = 1 << 16;

  private final LongSupplier clock; // nanoseconds
  private long last;
  private long room = MOST_AT_ONCE;
  private long leftOut;

  BoundedLog(OutputStream file) {
    this(file, System::nanoTime);
  }

  BoundedLog(OutputStream file, LongSupplier clock) {
    super(file);
    this.clock = clock;
    this.last = clock.getAsLong();
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] entry, int offset, int length) throws IOException {
    makeRoom();
    if (room < (leftOut > 0 ? ROOM_TO_GO_ON : length)) {
      leftOut++;
      return;
    }
    if (leftOut > 0) {
      put(("... " + leftOut + " entries were left out: they came too fast\n").getBytes(UTF_8));
      leftOut = 0;
    }
    out.write(entry, offset, length);
    room -= length;
  }

  private void put(byte[] bytes) throws IOException {
    out.write(bytes);
    room -= bytes.length;
  }

  private void makeRoom() {
    long now = clock.getAsLong();
    long seconds = TimeUnit.NANOSECONDS.toSeconds(now - last);
    last += TimeUnit.SECONDS.toNanos(seconds);
    room = Math.min(MOST_AT_ONCE, room + seconds * BYTES_PER_SECOND);
  }
}
