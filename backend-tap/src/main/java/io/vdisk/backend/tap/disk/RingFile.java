package io.vdisk.backend.tap.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * The two files about one device, of 4096 bytes each: {@code vbd3-DOMAIN-DEVICE/statistics}, which
 * has blkback's numbers, and {@code td3-PID/vbd-DOMAIN-DEVICE}, which xentop reads. Whatever lay
 * there is of a dead process, and is replaced; that of another dead process is removed. Any thread
 * may call.
 */
final class RingFile implements Closeable {
  private static final int SIZE = 4096;

  private final Path blkbackPath;
  private final Path metricsPath;
  private final FileChannel blkback;
  private final FileChannel metrics;
  private final List<ServedRing> rings;

  private RingFile(Path blkbackPath, Path metricsPath, List<ServedRing> rings) throws IOException {
    this.blkbackPath = blkbackPath;
    this.metricsPath = metricsPath;
    this.rings = List.copyOf(rings);
    this.blkback = make(blkbackPath);
    try {
      this.metrics = make(metricsPath);
    } catch (IOException e) {
      try (blkback) {
        remove(blkbackPath);
      }
      throw e;
    }
  }

  static RingFile create(Path folder, long pid, XenGuest guest, List<ServedRing> rings)
      throws IOException {
    String name = guest.domain() + "-" + guest.device();
    String metrics = "vbd-" + name;
    new StaleMetrics(folder).remove(metrics);
    return new RingFile(
        folder.resolve("vbd3-" + name).resolve("statistics"),
        folder.resolve(StaleMetrics.FOLDER + pid).resolve(metrics),
        rings);
  }

  /** The folder may be everybody's: nothing that another one put there is written to. */
  private static FileChannel make(Path path) throws IOException {
    Path parent = path.resolveSibling("");
    try {
      Files.createDirectory(
          parent,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
    }
    Files.deleteIfExists(path);
    return FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  boolean isOf(ServedRing ring) {
    return rings.contains(ring);
  }

  /** Whether one of its rings is. */
  boolean isServing() {
    return rings.stream().anyMatch(ServedRing::isServing);
  }

  /** Tells what has been asked until now. */
  synchronized void write() throws IOException {
    RingTotals totals = RingTotals.of(rings);
    ByteBuffer page = ByteBuffer.allocate(SIZE);
    BlkbackNumbers.write(totals, page);
    blkback.write(page.clear(), 0);
    page = ByteBuffer.allocate(SIZE);
    TapdiskNumbers.write(totals, page);
    metrics.write(page.clear(), 0);
  }

  /** Removes both. */
  @Override
  public synchronized void close() throws IOException {
    try (blkback;
        metrics) {
      remove(blkbackPath);
      remove(metricsPath);
    }
  }

  private static void remove(Path path) throws IOException {
    Files.deleteIfExists(path);
    try {
      Files.deleteIfExists(path.resolveSibling(""));
    } catch (DirectoryNotEmptyException e) {
      assert path.getNameCount() > 1; // another device's file is there
    }
  }
}
