package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The lock on one image, told to other processes as QEMU tells it: a shared lock on byte 100 + n
 * says "I use the image in way n", one on byte 200 + n "nobody else may"; ways are 0 read, 1 write,
 * 3 resize (as observed with QEMU 7.2). The bytes need not exist. Not thread-safe.
 */
final class ImageLock {
  /** I read; nobody may write or resize. */
  private static final long[] READING = {100, 201, 203};

  /** A QEMU that writes holds this one shared. */
  private static final long WRITERS = 101;

  /** A writer keeps everybody away: all bytes, exclusively. */
  private static final long FIRST = 100;

  private static final long COUNT = 200;

  /** How often the byte of the writers is tried: another reader may be trying it just now. */
  private static final int TRIES = 20;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final NativeFile file;
  private final boolean exclusive;

  private ImageLock(NativeFile file, boolean exclusive) {
    this.file = file;
    this.exclusive = exclusive;
  }

  /** For writing. */
  static ImageLock exclusive(NativeFile file, String name) throws IOException {
    if (!lock(file, FIRST, COUNT, false, name)) {
      throw new FileLockedException(name, "another process has it open");
    }
    return new ImageLock(file, true);
  }

  /**
   * For reading.
   *
   * @param writable whether {@code file} is open for writing too; a writer that came first is not
   *     seen otherwise
   */
  static ImageLock shared(NativeFile file, boolean writable, String name) throws IOException {
    ImageLock lock = new ImageLock(file, false);
    boolean taken = false;
    try {
      taken = lock.takeShared(name) && (!writable || lock.isWithoutWriter());
    } finally {
      if (!taken) {
        lock.release();
      }
    }
    if (!taken) {
      throw new FileLockedException(name, "another process has it open for writing");
    }
    return lock;
  }

  private static boolean lock(NativeFile file, long at, long count, boolean shared, String name)
      throws IOException {
    try {
      return file.lock(at, count, shared);
    } catch (IOException e) {
      throw new IOException(
          name + " cannot be locked there (OpenOptions.withoutLock() would go without)", e);
    }
  }

  private boolean takeShared(String name) throws IOException {
    for (long at : READING) {
      if (!lock(file, at, 1, true, name)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Asked after the own locks were taken, as every side does: of two that come at once one sees.
   */
  private boolean isWithoutWriter() throws IOException {
    for (int i = 0; i < TRIES; i++) {
      if (file.lock(WRITERS, 1, false)) {
        file.unlock(WRITERS, 1);
        return true;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return false;
  }

  void release() throws IOException {
    if (exclusive) {
      file.unlock(FIRST, COUNT);
    } else {
      for (long at : READING) {
        file.unlock(at, 1);
      }
    }
  }
}
