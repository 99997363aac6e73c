package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.OpenFlag;
import java.util.Set;

/**
 * What to open, and how (struct tapdisk_message_params).
 *
 * @param flags how
 * @param device the minor again
 * @param domain a guest, or 0
 * @param disk the type, a colon and the path, 255 bytes at most; empty for none
 * @param parentMinor whose parents to use, with {@link OpenFlag#REUSE_PARENT}
 * @param timeoutSeconds how long a request may take, 0 to 65,535; 0 as long as it likes
 * @param secondary another disk, 255 bytes at most; empty for none
 */
public record Parameters(
    Set<OpenFlag> flags,
    int device,
    int domain,
    String disk,
    int parentMinor,
    int timeoutSeconds,
    String secondary)
    implements MessageBody {
  /** Parameters whose flags cannot be changed. */
  public Parameters {
    flags = Set.copyOf(flags);
    if (timeoutSeconds < 0 || timeoutSeconds > 0xffff) {
      throw new IllegalArgumentException("a timeout of " + timeoutSeconds + " s");
    }
  }

  /** Only this disk. */
  static Parameters of(String disk) {
    return new Parameters(Set.of(), 0, 0, disk, 0, 0, "");
  }
}
