package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/**
 * A pair of named pipes, one to read and one to write. Both are opened for both, as Xen's programs
 * do, so that opening waits for nobody, and no end tells that the other has gone. One thread reads,
 * any one closes.
 */
final class Pipes implements Closeable {
  private final FileChannel in;
  private final FileChannel out;

  private Pipes(FileChannel in, FileChannel out) {
    this.in = in;
    this.out = out;
  }

  /** Opens two pipes that are there. */
  static Pipes open(Path read, Path write) throws DiskException {
    FileChannel in = open(read);
    try {
      return new Pipes(in, open(write));
    } catch (DiskException e) {
      closeQuietly(in);
      throw e;
    }
  }

  private static FileChannel open(Path pipe) throws DiskException {
    if (!Files.exists(pipe) || Files.isRegularFile(pipe) || Files.isDirectory(pipe)) {
      throw new DiskException(Errno.ENOENT, pipe + " is no pipe");
    }
    try {
      return FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, pipe + " cannot be opened: " + e.getMessage(), e);
    }
  }

  /**
   * Makes a pipe, by the program {@code mkfifo}. One that is there is replaced: a process that
   * still has it open must not take what is meant for another.
   *
   * @throws DiskException if it cannot be made
   */
  static void make(Path pipe) throws DiskException {
    try {
      Files.createDirectories(pipe.toAbsolutePath().getParent());
      remove(pipe);
      Process made =
          new ProcessBuilder("mkfifo", "-m", "0600", pipe.toString())
              .redirectErrorStream(true)
              .start();
      made.getOutputStream().close();
      made.getInputStream().readAllBytes();
      if (!made.waitFor(10, TimeUnit.SECONDS) || made.exitValue() != 0) {
        throw new DiskException(Errno.EIO, "the pipe " + pipe + " cannot be made");
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(
          Errno.EIO, "the pipe " + pipe + " cannot be made: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DiskException(Errno.EINTR, "interrupted", e);
    }
  }

  /** Removes a pipe, if it is one; those who have it open keep it. */
  static void remove(Path pipe) throws DiskException {
    try {
      if (!Files.isRegularFile(pipe)) {
        Files.deleteIfExists(pipe);
      }
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, "the pipe " + pipe + " cannot be removed", e);
    }
  }

  /**
   * Waits for bytes, and reads what is there.
   *
   * @return false once this is closed
   */
  boolean read(ByteBuffer bytes) throws IOException {
    try {
      return in.read(bytes) >= 0;
    } catch (ClosedChannelException e) {
      return false;
    }
  }

  /** Writes a message whole: it is smaller than a pipe. */
  void write(ByteBuffer message) throws IOException {
    while (message.hasRemaining()) {
      out.write(message);
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      assert !channel.isOpen();
    }
  }

  @Override
  public void close() {
    closeQuietly(in);
    closeQuietly(out);
  }
}
