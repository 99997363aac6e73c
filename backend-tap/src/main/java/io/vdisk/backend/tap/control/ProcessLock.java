package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A lock of flock(2), exclusive, on a file or folder. xapi's tools lock so; Java's locks are of
 * another kind, which these do not see. A child process holds it, the program {@code flock}: it
 * ends when its standard input does, so the lock ends with this process however that ends.
 */
final class ProcessLock implements Closeable {
  private static final int CONFLICT = 11;

  private final Process holder;

  private ProcessLock(Process holder) {
    this.holder = holder;
  }

  /**
   * Waits for a lock, however long.
   *
   * @throws DiskException if there is no program {@code flock}, or no such file
   */
  static ProcessLock await(Path file) throws DiskException {
    return take(file, List.of("flock", file.toString(), "cat"));
  }

  /**
   * Takes a lock at once.
   *
   * @throws DiskException with EAGAIN if another has it
   */
  static ProcessLock take(Path file) throws DiskException {
    String conflict = Integer.toString(CONFLICT);
    return take(file, List.of("flock", "-n", "-E", conflict, file.toString(), "cat"));
  }

  private static ProcessLock take(Path file, List<String> command) throws DiskException {
    Process holder = start(command);
    try {
      // "cat" runs once the lock is held, and says so by giving back what it was given.
      holder.getOutputStream().write('\n');
      holder.getOutputStream().flush();
      if (holder.getInputStream().read() == '\n') {
        return new ProcessLock(holder);
      }
    } catch (IOException e) {
      // It has ended: its exit code says why.
    }
    if (ended(holder) == CONFLICT) {
      throw new DiskException(Errno.EAGAIN, file + " is in use");
    }
    throw new DiskException(Errno.EIO, "the program 'flock' could not lock " + file);
  }

  private static Process start(List<String> command) throws DiskException {
    try {
      return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new DiskException(Errno.ENOSYS, "the program 'flock', of util-linux, is missing", e);
    }
  }

  private static int ended(Process holder) throws DiskException {
    try {
      return holder.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      holder.destroy();
      throw new DiskException(Errno.EINTR, "interrupted while a lock was taken", e);
    }
  }

  /** Gives the lock back; it is free when this returns. Again is harmless. */
  @Override
  public void close() {
    try {
      holder.getOutputStream().close();
    } catch (IOException e) {
      holder.destroy();
    }
    boolean isInterrupted = false;
    while (holder.isAlive()) {
      try {
        holder.waitFor();
      } catch (InterruptedException e) {
        isInterrupted = true;
        holder.destroy();
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
