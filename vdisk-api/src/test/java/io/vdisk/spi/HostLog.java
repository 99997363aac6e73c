package io.vdisk.spi;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** A host file in memory that tells what is done to it. */
final class HostLog implements HostFile {
  byte[] bytes = new byte[0];
  Consumer<String> before = line -> {};
  String failing = "none";
  boolean sharing;
  boolean allocating;
  private final List<String> log = new ArrayList<>();

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    note("read " + offset + "+" + dst.remaining());
    synchronized (this) {
      int length = (int) Math.max(0, Math.min(dst.remaining(), bytes.length - offset));
      dst.put(bytes, (int) Math.min(offset, bytes.length), length);
      return length;
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    note("write " + offset + "+" + src.remaining());
    put(src, offset);
  }

  private synchronized void put(ByteBuffer src, long offset) {
    int end = (int) offset + src.remaining();
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, end);
    }
    src.get(bytes, (int) offset, src.remaining());
  }

  /** Copies, as far as a test can tell. */
  @Override
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    if (!sharing) {
      return 0;
    }
    note("share " + offset + "+" + length);
    ByteBuffer copy = ByteBuffer.allocate((int) length);
    source.readFully(copy, sourceOffset);
    put(copy.flip(), offset);
    return length;
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    if (allocating) {
      note("reserve " + offset + "+" + length);
      resize(Math.max(size(), offset + length));
    }
    return allocating;
  }

  @Override
  public synchronized long size() {
    return bytes.length;
  }

  @Override
  public synchronized void resize(long size) {
    bytes = Arrays.copyOf(bytes, (int) size);
  }

  @Override
  public void flush() throws IOException {
    note("flush");
  }

  @Override
  public String name() {
    return "host";
  }

  @Override
  public void close() {}

  synchronized String last() {
    return log.get(log.size() - 1);
  }

  synchronized List<String> writes() {
    List<String> writes = new ArrayList<>(log);
    writes.removeIf(line -> !line.startsWith("write"));
    log.clear();
    return writes;
  }

  private void note(String line) throws IOException {
    if (!failing.isEmpty() && line.startsWith(failing)) {
      throw new IOException("planned: " + line);
    }
    before.accept(line);
    synchronized (this) {
      log.add(line);
    }
  }
}
