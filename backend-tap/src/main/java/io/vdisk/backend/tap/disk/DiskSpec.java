package io.vdisk.backend.tap.disk;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A guest's disk as a toolstack's configuration says it. Immutable.
 *
 * @param type the driver's name, not looked up yet: {@code aio}, {@code vhd}, {@code phy} ...
 * @param target what the driver opens; empty: a drive without medium
 * @param vdev the device that the guest sees: {@code xvda}, {@code sda1}, {@code hdc} ...
 * @param isCdrom whether it is a CD drive
 * @param access what the guest may do
 * @param backend what shall serve it, as it is called there ({@code phy}, {@code file}, {@code
 *     tap}, {@code tap2}, {@code qdisk} ...); empty: not said
 * @param settings what else was said, by name: {@code script}, {@code backend} (a domain), {@code
 *     discard}, {@code protocol} ...; a flag has an empty value
 */
public record DiskSpec(
    String type,
    String target,
    String vdev,
    boolean isCdrom,
    Access access,
    Optional<String> backend,
    Map<String, String> settings) {
  /** Keeps the order of the settings. */
  public DiskSpec {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  /**
   * Reads one disk of xm's or xl's configuration. What begins with {@code phy:}, {@code file:},
   * {@code nbd:}, {@code tap:} or {@code tap2:} is xm's, anything else xl's.
   *
   * @throws DiskSyntaxException if it is neither
   */
  public static DiskSpec parse(String text) throws DiskSyntaxException {
    return XmDisk.isLikely(text) ? XmDisk.parse(text) : XlDisk.parse(text);
  }

  /** What {@code tap-ctl open -a} takes, {@code type:target}; empty: there is no medium. */
  public Optional<String> descriptor() {
    return target.isEmpty() ? Optional.empty() : Optional.of(type + ":" + target);
  }

  /** What a tapdisk is asked to open for it; empty: there is no medium. */
  public Optional<OpenRequest> request() {
    return descriptor()
        .map(
            name ->
                switch (access) {
                  case READ_ONLY -> OpenRequest.of(name, OpenFlag.READ_ONLY);
                  case READ_WRITE -> OpenRequest.of(name);
                  case SHARED -> OpenRequest.of(name, OpenFlag.SHARED);
                });
  }
}
