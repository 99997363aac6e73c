package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends what was written to the disk while more is being written, so that a flush at the end finds
 * little left. Nobody waits for that: what fails on its way, the flush reports. Any thread may
 * call.
 */
final class WrittenBackFile extends ForwardingNativeFile {
  /**
   * Bytes that are written before the disk is to begin with them: enough for the host to make large
   * transfers of them, and little beside what it lets lie.
   */
  private static final long PORTION = 64L << 20;

  private final AtomicLong written = new AtomicLong();

  /** Over {@code file}, which is closed with it. */
  WrittenBackFile(NativeFile file) {
    super(file);
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    int count = super.write(src, offset);
    long now = written.addAndGet(count);
    if (now / PORTION != (now - count) / PORTION) {
      advise(Advice.FLUSHED_SOON, 0, Long.MAX_VALUE);
    }
    return count;
  }
}
