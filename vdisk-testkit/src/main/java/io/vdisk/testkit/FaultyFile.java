package io.vdisk.testkit;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A host file that fails as its {@link FaultPlan} says. A write that fails may have written its
 * first sectors; no sector is torn. After a failed flush every later one fails, as on every host
 * file.
 */
final class FaultyFile extends ForwardingFile {
  private static final int SECTOR = 512;

  private final FaultPlan plan;
  private volatile boolean flushFailed;

  FaultyFile(HostFile file, FaultPlan plan) {
    super(file);
    this.plan = plan;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    plan.count(HostOperation.READ, name());
    return super.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    try {
      plan.count(HostOperation.WRITE, name());
    } catch (IOException planned) {
      writePrefix(src.duplicate(), offset);
      throw planned;
    }
    super.write(src, offset);
  }

  private void writePrefix(ByteBuffer src, long offset) throws IOException {
    int toBoundary = (int) (SECTOR - offset % SECTOR);
    int boundaries = Math.max(0, src.remaining() - toBoundary) / SECTOR;
    int sectors = plan.prefix(boundaries);
    if (sectors > 0) {
      int bytes = toBoundary + (sectors - 1) * SECTOR;
      super.write(src.limit(src.position() + bytes), offset);
    }
  }

  @Override
  public void resize(long size) throws IOException {
    plan.count(HostOperation.RESIZE, name());
    super.resize(size);
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    plan.count(HostOperation.ZERO, name());
    return super.zero(offset, length, keepSpace);
  }

  @Override
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    plan.count(HostOperation.WRITE, name());
    return super.share(source, sourceOffset, offset, length);
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    plan.count(HostOperation.RESIZE, name());
    return super.allocate(offset, length);
  }

  @Override
  public void flush() throws IOException {
    if (flushFailed) {
      throw new HostFlushException(
          name() + ": an earlier flush failed", new IOException("planned, earlier"));
    }
    try {
      plan.count(HostOperation.FLUSH, name());
    } catch (IOException planned) {
      flushFailed = true;
      throw planned;
    }
    super.flush();
  }
}
