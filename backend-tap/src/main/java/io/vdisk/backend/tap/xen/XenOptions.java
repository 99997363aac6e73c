package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskPolicy;
import java.nio.file.Path;

/**
 * What holds for all disks of a back end. Immutable.
 *
 * @param policy what images may name, and how they are opened
 * @param folder where locks, and what guests wrote since their last flush, are kept: in a file
 *     system in memory, {@code /run} or below it
 * @param mostQueues rings that a guest may have for one disk, 1 to 64
 */
public record XenOptions(DiskPolicy policy, Path folder, int mostQueues) {
  /** Where a daemon keeps what it must remember while it is gone. */
  public static final Path FOLDER = Path.of("/run/blktapd");

  /** Rings that a guest may have for one disk, at most. */
  public static final int MOST_QUEUES = 64;

  /** A guest with more processors than these shares queues: each has a thread or more here. */
  private static final int DEFAULT_QUEUES = 4;

  /** Checks the range. */
  public XenOptions {
    if (mostQueues < 1 || mostQueues > MOST_QUEUES) {
      throw new IllegalArgumentException(mostQueues + " queues");
    }
  }

  /** As many queues as there are processors, 4 at most. */
  public static XenOptions of(DiskPolicy policy, Path folder) {
    return new XenOptions(
        policy, folder, Math.min(Runtime.getRuntime().availableProcessors(), DEFAULT_QUEUES));
  }

  /** With logs of what guests write. */
  DiskPolicy diskPolicy() {
    return policy.withWriteLogs(folder.resolve("writes-"));
  }
}
