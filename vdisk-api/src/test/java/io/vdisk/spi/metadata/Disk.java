package io.vdisk.spi.metadata;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A small host file that remembers, in order, what was done to it: "write 4096+8", "flush". */
final class Disk implements HostFile {
  final byte[] bytes = new byte[1 << 20];
  final List<String> log = new ArrayList<>();

  /** Called before each operation with its log line; may throw. */
  Consumer<String> before = line -> {};

  private boolean written;

  @Override
  public synchronized int read(ByteBuffer dst, long offset) throws IOException {
    int length = (int) Math.max(0, Math.min(dst.remaining(), bytes.length - offset));
    note("read " + offset + "+" + length);
    dst.put(bytes, (int) offset, length);
    return length;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    note("write " + offset + "+" + src.remaining());
    synchronized (this) {
      written = true;
      src.get(bytes, (int) offset, src.remaining());
    }
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void resize(long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void flush() throws IOException {
    synchronized (this) {
      if (!written) {
        return;
      }
      written = false;
    }
    note("flush");
  }

  @Override
  public String name() {
    return "disk";
  }

  @Override
  public void close() {}

  /** The log without reads, and forgets it. */
  synchronized List<String> changes() {
    List<String> changes = new ArrayList<>(log);
    changes.removeIf(line -> line.startsWith("read"));
    log.clear();
    return changes;
  }

  long word(long offset) {
    return ByteBuffer.wrap(bytes).getLong((int) offset);
  }

  private void note(String line) throws IOException {
    try {
      before.accept(line);
    } catch (IllegalStateException e) {
      throw new IOException("planned: " + line, e);
    }
    synchronized (this) {
      log.add(line);
    }
  }
}
