package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The file that says which process is the daemon, and by its lock that there is one: what Xen's
 * blktapctrl locks with lockf(3), which keeps Java's lock away and is kept away by it. The lock
 * ends with the process, however that ends; the file stays.
 */
public final class PidFile implements Closeable {
  /** Where blktapctrl of Xen has it. */
  public static final Path BLKTAPCTRL = Path.of("/var/run/blktapctrl.pid");

  private final FileChannel file; // its lock ends with it

  private PidFile(FileChannel file) {
    this.file = file;
  }

  /**
   * Becomes the daemon.
   *
   * @param pid this process
   * @throws DiskException with EBUSY if another one is
   */
  public static PidFile take(Path path, long pid) throws IOException {
    FileChannel file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (lock(file) == null) {
        throw new DiskException(
            Errno.EBUSY, "blktapctrl runs already, as process " + content(file) + " in " + path);
      }
      file.truncate(0);
      file.write(ByteBuffer.wrap((pid + "\n").getBytes(StandardCharsets.US_ASCII)));
      return new PidFile(file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static @Nullable FileLock lock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // this process has it already
    }
  }

  /** The number that another daemon wrote. */
  private static String content(FileChannel file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(20);
    int unused = file.read(bytes, 0);
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).strip();
  }

  /** Says that there is no daemon any longer. */
  @Override
  public void close() throws IOException {
    try (file) {
      file.truncate(0);
    }
  }
}
