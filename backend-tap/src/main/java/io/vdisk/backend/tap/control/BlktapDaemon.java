package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The daemon of blktap 1: for each disk that is asked for it makes a device, a pair of pipes and a
 * process, and speaks with that. Disks of drivers that share one process ({@code vmdk}, {@code
 * ram}) do. Requests come from an {@link AttachSource}. Any thread may call; one request at a time
 * is carried out, as in Xen.
 */
public final class BlktapDaemon implements Closeable {
  /** Where the pipes are since Xen 3.1. */
  public static final Path PIPES = Path.of("/var/run/tap");

  /** MAX_TIMEOUT of blktapctrl.c. */
  public static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** A domain's number has 16 bits (domid_t). */
  private static final int MOST_DOMAIN = 0xffff;

  /** Starts tapdisks. */
  public interface Spawner {
    /** Starts one that takes commands from one pipe and answers into another; waits for neither. */
    void spawn(Path commands, Path answers) throws DiskException;
  }

  /**
   * A disk that is attached.
   *
   * @param minor of its device
   * @param pid of its process
   * @param name the driver, a colon and the path
   * @param info what its guest is told
   */
  public record Attached(int minor, int pid, String name, DiskInfo info) {}

  private record Tapdisk(PipeClient client, PipeDriver driver, int pid, List<Path> pipes) {}

  private record Disk(Attached attached, Tapdisk tapdisk, int cookie) {}

  private final Path folder;
  private final PipeDialect dialect;
  private final Duration timeout;
  private final BlktapDevices devices;
  private final Spawner spawner;
  private final Map<Integer, Disk> disks = new TreeMap<>();
  private int nextCookie;

  /**
   * A daemon without disks.
   *
   * @param folder where the pipes are made
   */
  public BlktapDaemon(
      Path folder, PipeDialect dialect, Duration timeout, BlktapDevices devices, Spawner spawner) {
    this.folder = folder;
    this.dialect = dialect;
    this.timeout = timeout;
    this.devices = devices;
    this.spawner = spawner;
  }

  /**
   * Attaches a disk.
   *
   * @param disk the driver, a colon and the path, after "tapdisk:" or not
   * @param domain 0 to 65,535
   * @param device not negative
   * @throws DiskException with ENOENT if there is no such driver or the image cannot be opened,
   *     with ENODEV if there are no devices
   */
  public synchronized Attached attach(String disk, boolean isReadOnly, int domain, int device)
      throws DiskException {
    String name = disk.startsWith("tapdisk:") ? disk.substring("tapdisk:".length()) : disk;
    int colon = name.indexOf(':');
    PipeDriver driver =
        PipeDriver.of(name.substring(0, Math.max(colon, 0)))
            .orElseThrow(
                () -> new DiskException(Errno.ENOENT, "'" + disk + "' names no driver of blktap"));
    checkGuest(domain, device);
    int minor = devices.create(domain, device);
    try {
      Disk made = open(driver, name.substring(colon + 1), isReadOnly, minor, domain);
      disks.put(minor, made);
      return made.attached();
    } catch (DiskException e) {
      try {
        devices.free(minor);
      } catch (DiskException another) {
        e.addSuppressed(another);
      }
      throw e;
    }
  }

  private static void checkGuest(int domain, int device) throws DiskException {
    if (domain < 0 || domain > MOST_DOMAIN) {
      throw new DiskException(Errno.EINVAL, domain + " is no domain: they are 0 to " + MOST_DOMAIN);
    }
    if (device < 0) {
      throw new DiskException(
          Errno.EINVAL, device + " is no device of a guest: they are 0 to " + Integer.MAX_VALUE);
    }
  }

  private Disk open(PipeDriver driver, String path, boolean isReadOnly, int minor, int domain)
      throws DiskException {
    int cookie = nextCookie++ & 0xffff;
    Tapdisk tapdisk = tapdisk(driver, minor, cookie);
    try {
      PipeMessage answer =
          tapdisk
              .client()
              .ask(
                  new PipeMessage(
                      PipeMessageType.PARAMS,
                      driver.number(),
                      cookie,
                      isReadOnly,
                      new PipeMessage.Path(path)));
      if (!(answer.body() instanceof PipeMessage.Image image)) {
        throw new DiskException(
            Errno.ENOENT, "the tapdisk cannot open " + driver.word() + ":" + path);
      }
      connect(tapdisk, cookie, minor, domain);
      String name = driver.word() + ":" + path;
      return new Disk(new Attached(minor, tapdisk.pid(), name, image.info()), tapdisk, cookie);
    } catch (DiskException e) {
      release(tapdisk, cookie, e);
      throw e;
    }
  }

  private static void connect(Tapdisk tapdisk, int cookie, int minor, int domain)
      throws DiskException {
    PipeMessage answer =
        tapdisk
            .client()
            .ask(
                PipeMessage.request(
                    PipeMessageType.NEWDEV,
                    tapdisk.driver().number(),
                    cookie,
                    new PipeMessage.Device(minor, domain)));
    if (answer.type() != PipeMessageType.NEWDEV_RSP) {
      throw new DiskException(Errno.ENODEV, "the tapdisk cannot serve /dev/xen/blktap" + minor);
    }
  }

  private Tapdisk tapdisk(PipeDriver driver, int minor, int cookie) throws DiskException {
    Optional<Tapdisk> running =
        disks.values().stream()
            .map(Disk::tapdisk)
            .filter(one -> driver.isShared() && one.driver() == driver)
            .findFirst();
    return running.isPresent() ? running.get() : start(driver, minor, cookie);
  }

  private Tapdisk start(PipeDriver driver, int minor, int cookie) throws DiskException {
    // Their names are from the daemon's view.
    Path read = folder.resolve("tapctrlread" + minor);
    Path write = folder.resolve("tapctrlwrite" + minor);
    Pipes.make(read);
    Pipes.make(write);
    PipeClient client = new PipeClient(Pipes.open(read, write), dialect, timeout);
    Tapdisk nameless = new Tapdisk(client, driver, 0, List.of(read, write));
    try {
      spawner.spawn(write, read);
      PipeMessage answer = client.ask(header(PipeMessageType.PID, driver, cookie));
      if (answer.body() instanceof PipeMessage.Pid process) {
        return new Tapdisk(client, driver, process.pid(), nameless.pipes());
      }
      throw new DiskException(Errno.EPROTO, "the tapdisk did not tell its number");
    } catch (DiskException e) {
      // It ends when it comes to that closing, or finds its pipes gone.
      release(nameless, cookie, e);
      throw e;
    }
  }

  private static PipeMessage header(PipeMessageType type, PipeDriver driver, int cookie) {
    return PipeMessage.request(type, driver.number(), cookie, new PipeMessage.Nothing());
  }

  /**
   * Detaches a disk: its process flushes and closes it.
   *
   * @throws DiskException with ENODEV if there is no such disk
   */
  public synchronized void detach(int minor) throws DiskException {
    Disk disk = disks.remove(minor);
    if (disk == null) {
      throw new DiskException(Errno.ENODEV, "no disk has minor " + minor);
    }
    FirstFailure failure = new FirstFailure();
    failure.run(() -> release(disk.tapdisk(), disk.cookie()));
    failure.run(() -> devices.free(minor));
    try {
      failure.check();
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }

  /**
   * Detaches exactly this disk, and none that has got its minor since.
   *
   * @throws DiskException with ENODEV if somebody else detached it
   */
  @SuppressWarnings("ReferenceEquality") // one that came later may say the same of itself
  public synchronized void detach(Attached one) throws DiskException {
    Disk disk = disks.get(one.minor());
    if (disk == null || disk.attached() != one) {
      throw new DiskException(
          Errno.ENODEV, one.name() + " was detached from minor " + one.minor() + " before");
    }
    detach(one.minor());
  }

  /** Closes a disk, and lets go of its process if it was the last. */
  private void release(Tapdisk tapdisk, int cookie) throws DiskException {
    try {
      tapdisk.client().send(header(PipeMessageType.CLOSE, tapdisk.driver(), cookie));
    } finally {
      if (disks.values().stream().noneMatch(disk -> disk.tapdisk().equals(tapdisk))) {
        // The names go first: a tapdisk that comes late finds none, or what was said before.
        try {
          for (Path pipe : tapdisk.pipes()) {
            Pipes.remove(pipe);
          }
        } finally {
          tapdisk.client().close();
        }
      }
    }
  }

  /** The same after a failure, which is the one to tell. */
  private void release(Tapdisk tapdisk, int cookie, DiskException reason) {
    try {
      release(tapdisk, cookie);
    } catch (DiskException e) {
      reason.addSuppressed(e);
    }
  }

  /** What is attached, by minor. */
  public synchronized List<Attached> list() {
    return disks.values().stream().map(Disk::attached).toList();
  }

  /**
   * Lets go of the pipes. The processes go on, and so do their guests, as when Xen's daemon ends.
   */
  @Override
  public synchronized void close() {
    new ArrayList<>(disks.values()).forEach(disk -> disk.tapdisk().client().close());
    disks.clear();
  }
}
