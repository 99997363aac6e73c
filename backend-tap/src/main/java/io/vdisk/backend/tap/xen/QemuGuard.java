package io.vdisk.backend.tap.xen;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Knows which guests' devices of type {@code qdisk} are QEMU's: where one runs for the domain, or
 * is about to. Two that serve one ring would destroy the disk. One thread at a time.
 *
 * <p>A guest of type {@code hvm} always has one. Of others xl writes the number of the process to
 * {@code image/device-model-pid} of the domain before it becomes QEMU; for domain 0 Xen's start
 * script starts one, and writes a file. Where the node is missing xl attaches no such disk to
 * domain 0, and starts a QEMU for a guest that gets its first one: so {@link #claim} writes the
 * number of no process there.
 */
final class QemuGuard {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private static final List<Path> FILES_OF_DOMAIN_0 =
      List.of(Path.of("/run/xen/qemu-dom0.pid"), Path.of("/var/run/xen/qemu-dom0.pid"));

  /** More than a process of Linux can have (PID_MAX_LIMIT is 4,194,304): xl signals this one. */
  static final String NOBODY = Integer.toString(0x3fff_ffff);

  /** The program that stands in for QEMU where xl insists on one. */
  private static final String STAND_IN = "blktapd-dm";

  /** Says whether a process with this number runs, and may be or become a QEMU. */
  @FunctionalInterface
  interface Processes {
    boolean mayBeQemu(long pid);
  }

  private final XenStore store;
  private final int host;
  private final Processes processes;
  private final List<Path> files;
  private final Set<Integer> told = new HashSet<>();

  QemuGuard(XenStore store, int host, Processes processes, List<Path> files) {
    this.store = store;
    this.host = host;
    this.processes = processes;
    this.files = files;
  }

  static QemuGuard ofHost(XenStore store, int host) {
    return new QemuGuard(store, host, QemuGuard::mayBeQemu, FILES_OF_DOMAIN_0);
  }

  private static boolean mayBeQemu(long pid) {
    return text(Path.of("/proc/" + pid + "/cmdline"))
        .map(words -> !words.contains(STAND_IN))
        .orElse(false); // there is no such process
  }

  /** What a file holds, a character for each byte; empty if it cannot be read. */
  private static Optional<String> text(Path file) {
    try {
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Says of a domain that has no device model that it needs none. */
  void claim(int domain) throws IOException {
    String node = "/local/domain/" + domain + "/image/device-model-pid";
    if (domain == host || type(domain).startsWith("pv")) {
      boolean unused =
          store.transact(
              nodes -> {
                boolean isFree = nodes.find(node).isEmpty();
                if (isFree) {
                  nodes.write(node, NOBODY);
                }
                return isFree;
              });
    }
  }

  boolean isServedByQemu(BackendDevice device) throws IOException {
    if (!device.type().equals(BackendDevice.QDISK) || !hasQemu(device.domain())) {
      told.remove(device.domain());
      return false;
    }
    if (told.add(device.domain())) {
      LOG.log(
          Level.INFO, "domain {0}: its devices of type qdisk are those of a QEMU", device.domain());
    }
    return true;
  }

  private boolean hasQemu(int domain) throws IOException {
    if (type(domain).equals("hvm")) {
      return true; // or will have one: xl makes the disks first
    }
    Optional<String> pid = store.find("/local/domain/" + domain + "/image/device-model-pid");
    if (pid.isPresent() && isQemu(pid.get())) {
      return true;
    }
    return domain == host
        && files.stream().anyMatch(file -> text(file).map(this::isQemu).orElse(false));
  }

  /** What xl says of a guest: {@code hvm}, {@code pv} or {@code pvh}; empty if it made none. */
  private String type(int domain) throws IOException {
    return store.find("/libxl/" + domain + "/type").orElse("");
  }

  private boolean isQemu(String pid) {
    String number = pid.strip();
    return number.matches("[0-9]{1,9}") && processes.mayBeQemu(Long.parseLong(number));
  }
}
