package io.vdisk.backend.tap.disk;

import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.KeptWrites;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What holds for all disks of a process. Immutable.
 *
 * <p>By default an image may name any file of the host as its parent: in Dom0 the administrator
 * made the chains, and a guest reaches the content of its disks, never their headers. That is not
 * so for a raw disk that is opened as something else later, nor for an image that came from a
 * stranger: its parent could be any file that this process may read, and the guest would read that.
 * Where such images are served, take {@link ReferencePolicy#within}.
 *
 * @param references what an image may name
 * @param isDirect whether images pass by the host's page cache where it lets them
 * @param ramBytes most bytes of all RAM disks of the process together
 * @param writeLogs how the files begin in which guests' writes are kept until they are durable, for
 *     images that keep tables in memory: whoever opens the same image with the same logs after this
 *     process was killed writes them again. They belong into a file system in memory; empty: not
 *     kept
 */
public record DiskPolicy(
    ReferencePolicy references, boolean isDirect, long ramBytes, Optional<Path> writeLogs) {
  /** What tapdisk loads at most, 1,024,000 sectors of 512 bytes (block-ram.c). */
  private static final long TAPDISK_RAM_BYTES = 524_288_000;

  /** Any reference, past the page cache, RAM disks of at most half of the heap, no logs. */
  public static final DiskPolicy DEFAULT =
      new DiskPolicy(
          ReferencePolicy.any(),
          true,
          Math.min(TAPDISK_RAM_BYTES, Runtime.getRuntime().maxMemory() / 2),
          Optional.empty());

  /** Checks the range. */
  public DiskPolicy {
    if (ramBytes < 0) {
      throw new IllegalArgumentException(ramBytes + " bytes for RAM disks");
    }
  }

  /** What was answered to guests of these images before a process was killed, if that is kept. */
  Optional<KeptWrites> kept(WrittenImages images) {
    return writeLogs.map(images::kept);
  }

  /** Whether something may be left that opening these images would write to them. */
  public boolean hasKept(OpenRequest asked) throws IOException {
    Optional<KeptWrites> kept = kept(WrittenImages.of(asked));
    return kept.isPresent() && kept.get().isAny();
  }

  /** The same with another policy for what images name. */
  public DiskPolicy withReferences(ReferencePolicy policy) {
    return new DiskPolicy(policy, isDirect, ramBytes, writeLogs);
  }

  /** The same, through the host's page cache. */
  public DiskPolicy buffered() {
    return new DiskPolicy(references, false, ramBytes, writeLogs);
  }

  /** The same with so many bytes for RAM disks. */
  public DiskPolicy withRamBytes(long bytes) {
    return new DiskPolicy(references, isDirect, bytes, writeLogs);
  }

  /** The same with logs of writes in files that begin so. */
  public DiskPolicy withWriteLogs(Path beginning) {
    return new DiskPolicy(references, isDirect, ramBytes, Optional.of(beginning));
  }
}
