package io.vdisk.testkit.toy;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file in memory that counts the flushes that have something to do. One thread. */
final class FlushCounter extends ForwardingFile {
  private final HostFile file;
  private boolean written;
  private int flushes;

  FlushCounter(String name) {
    this(new MemoryFile(name));
  }

  private FlushCounter(HostFile file) {
    super(file);
    this.file = file;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    file.write(src, offset);
    written = true;
  }

  @Override
  public void flush() {
    if (written) {
      flushes++;
      written = false;
    }
  }

  /** Flushes since the last call. */
  int take() {
    int counted = flushes;
    flushes = 0;
    return counted;
  }
}
