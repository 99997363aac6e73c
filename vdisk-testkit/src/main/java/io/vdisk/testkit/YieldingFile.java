package io.vdisk.testkit;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;

/**
 * A host file that gives way to other threads before, after and within transfers: these are cut at
 * sector boundaries, as no host promises that they are whole. Each thread has its own dice.
 */
final class YieldingFile extends ForwardingFile {
  private static final int SECTOR = 512;

  private final ThreadLocal<Random> dice;

  YieldingFile(HostFile file, long seed) {
    super(file);
    this.dice = ThreadLocal.withInitial(() -> new Random(seed + Thread.currentThread().getId()));
  }

  private boolean oneIn(int chances) {
    return dice.get().nextInt(chances) == 0;
  }

  @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it: it only makes races likelier
  private void giveWay() {
    if (oneIn(3)) {
      Thread.yield();
    }
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    giveWay();
    int limit = dst.limit();
    int start = dst.position();
    try {
      while (dst.position() < limit) {
        int step = step(limit - dst.position(), offset + dst.position() - start);
        long position = offset + dst.position() - start;
        if (super.read(dst.limit(dst.position() + step), position) < step) {
          break;
        }
        giveWay();
      }
      return dst.position() - start;
    } finally {
      dst.limit(limit);
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    giveWay();
    int limit = src.limit();
    long position = offset;
    try {
      while (src.position() < limit) {
        int step = step(limit - src.position(), position);
        super.write(src.limit(src.position() + step), position);
        position += step;
        giveWay();
      }
    } finally {
      src.limit(limit);
    }
  }

  /** All that is left, or at times only to a sector boundary in it. */
  private int step(int left, long offset) {
    int toBoundary = (int) (SECTOR - offset % SECTOR);
    if (left <= toBoundary || !oneIn(3)) {
      return left;
    }
    return toBoundary + dice.get().nextInt((left - toBoundary - 1) / SECTOR + 1) * SECTOR;
  }

  @Override
  public void flush() throws IOException {
    giveWay();
    super.flush();
    giveWay();
  }
}
