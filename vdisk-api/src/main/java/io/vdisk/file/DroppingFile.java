package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Drops from the page cache what is moved through a file. The host drops only what is on the disk:
 * so whenever requests come to another window of the file, those behind it are named once more.
 * What was written begins its way to the disk with that. Any thread may call.
 */
final class DroppingFile extends ForwardingNativeFile {
  /** Bytes of a window. */
  private static final long WINDOW = 8L << 20;

  /** Windows behind the one that requests are in: the disk is to have that much to do. */
  private static final int BEHIND = 4;

  /** That of the last request. */
  private final AtomicLong window = new AtomicLong();

  /** Over {@code file}, which is closed with it. */
  DroppingFile(NativeFile file) {
    super(file);
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    int count = super.read(dst, offset);
    moved(offset);
    return count;
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    int count = super.write(src, offset);
    moved(offset);
    return count;
  }

  private void moved(long offset) throws IOException {
    long now = offset / WINDOW;
    if (window.get() != now && window.getAndSet(now) != now) {
      long first = Math.max(0, now - BEHIND);
      if (first < now) {
        advise(Advice.NOT_AGAIN, first * WINDOW, (now - first) * WINDOW);
      }
    }
  }

  /** What is durable need not stay. */
  @Override
  public void flush() throws IOException {
    super.flush();
    dropAll();
  }

  private void dropAll() throws IOException {
    advise(Advice.NOT_AGAIN, 0, Long.MAX_VALUE);
  }

  @Override
  public void close() throws IOException {
    try {
      dropAll();
    } finally {
      super.close();
    }
  }
}
