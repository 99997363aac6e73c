package io.vdisk.format.vhdx;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The image's file, which knows how much of it no power cut can take: what an entry of the log has
 * to say. Thread-safe.
 */
final class LoggedFile extends ForwardingFile {
  private final AtomicLong flushedSize = new AtomicLong();

  /** What the file is to be cut to; it has not been larger since. */
  private volatile long shrinking = Long.MAX_VALUE;

  LoggedFile(HostFile file) {
    super(file);
  }

  @Override
  public void flush() throws IOException {
    long size = size();
    try {
      super.flush();
    } catch (HostFlushException e) {
      throw e;
    } catch (IOException e) {
      throw new HostFlushException("flush of " + name() + " failed", e);
    }
    flushedSize.accumulateAndGet(Math.min(size, shrinking), Math::max);
  }

  /** From now on the file may be as short as this. */
  void willShrinkTo(long size) {
    shrinking = size;
    flushedSize.accumulateAndGet(size, Math::min);
  }

  /** The file is larger now. */
  void grew() {
    shrinking = Long.MAX_VALUE;
  }

  /** Bytes that hold all that is in use. */
  long lastSize() throws IOException {
    return Math.min(size(), shrinking);
  }

  /** Bytes that the file had before a flush that succeeded. */
  long flushedSize() {
    return flushedSize.get();
  }
}
