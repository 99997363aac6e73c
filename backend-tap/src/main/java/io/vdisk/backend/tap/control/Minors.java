package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The numbers of the disks of a host. A number is taken while its file is there, and attached while
 * a process has that locked; the folder is locked by whoever adds or removes one. xapi's tap-ctl
 * and tapdisk keep the same rules, so that both may work in one folder. Any thread and any process
 * may call.
 */
public final class Minors {
  /** MAX_ID of xapi's blktap.h. */
  static final int LIMIT = 16384;

  private final ControlFolder folder;
  private final int limit;

  /** The minors of a folder. */
  public Minors(ControlFolder folder) {
    this(folder, LIMIT);
  }

  /** So many minors in a folder. */
  Minors(ControlFolder folder, int limit) {
    this.folder = folder;
    this.limit = limit;
  }

  /**
   * Takes the lowest free number.
   *
   * @return the file that stands for it
   * @throws DiskException with ENOSPC if all 16,384 are taken; what the host says, if it refuses
   */
  public Path allocate() throws DiskException {
    folder.prepare();
    ProcessLock lock = ProcessLock.await(folder.minors());
    try {
      for (int minor = 0; minor < limit; minor++) {
        Path marker = folder.marker(minor);
        if (Files.exists(marker)) {
          continue;
        }
        try {
          return Files.createFile(marker);
        } catch (IOException e) {
          throw DiskException.of(e);
        }
      }
    } finally {
      lock.close();
    }
    throw new DiskException(Errno.ENOSPC, "all " + limit + " minors are taken");
  }

  /** The number that a file stands for. */
  public static int number(Path marker) {
    String name = marker.getFileName().toString();
    return Integer.parseInt(name.substring(name.lastIndexOf('-') + 1));
  }

  /**
   * Gives a number back.
   *
   * @throws DiskException with ENOENT if it is not taken, with EAGAIN if it is attached
   */
  public void free(int minor) throws DiskException {
    if (!Files.isDirectory(folder.minors())) {
      throw unknown(minor);
    }
    ProcessLock lock = ProcessLock.await(folder.minors());
    try {
      ProcessLock marker = mark(minor);
      try {
        Files.delete(folder.marker(minor));
      } finally {
        marker.close();
      }
    } catch (NoSuchFileException e) {
      throw unknown(minor);
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, "minor " + minor + " cannot be freed", e);
    } finally {
      lock.close();
    }
  }

  /**
   * Marks a number as attached.
   *
   * @return what ends that when it is closed; the end of this process does too
   * @throws DiskException with ENOENT if it is not taken, with EAGAIN if it is attached
   */
  ProcessLock attach(int minor) throws DiskException {
    if (!Files.isDirectory(folder.minors())) {
      throw unknown(minor);
    }
    ProcessLock lock = ProcessLock.await(folder.minors()); // or it may be freed in between
    try {
      return mark(minor);
    } finally {
      lock.close();
    }
  }

  /** Whoever calls has the folder locked. */
  private ProcessLock mark(int minor) throws DiskException {
    Path marker = folder.marker(minor);
    if (!Files.isRegularFile(marker)) {
      throw unknown(minor);
    }
    return ProcessLock.take(marker);
  }

  private DiskException unknown(int minor) {
    return new DiskException(
        Errno.ENOENT, "minor " + minor + " is not allocated: no " + folder.marker(minor));
  }
}
