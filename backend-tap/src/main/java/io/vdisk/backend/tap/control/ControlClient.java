package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Commands tapdisks through their control sockets. Immutable; any thread may call. */
public final class ControlClient {
  /** What tap-ctl says where no other disk is to be the parent. */
  private static final int NO_PARENT = -1;

  private final ControlFolder folder;
  private final Generation generation;

  /** A client of the tapdisks of a folder, which all speak one dialect. */
  public ControlClient(ControlFolder folder, Generation generation) {
    this.folder = folder;
    this.generation = generation;
  }

  /** The process that answers at the socket of {@code pid}. */
  public int pid(int pid) throws DiskException {
    ControlMessage request = ControlMessage.of(MessageType.PID, 0);
    ControlMessage answer =
        exchange(pid, ControlRequest.of(request), Optional.of(ControlServer.TIMEOUT));
    if (answer.body() instanceof ProcessId process) {
      return process.pid();
    }
    throw unexpected(answer, pid);
  }

  /** The disks of a process, the last attached first, as xapi's tap-ctl shows them. */
  public List<DiskLine> list(int pid) throws DiskException {
    List<DiskLine> lines = new ArrayList<>();
    Optional<Duration> timeout = Optional.of(ControlServer.TIMEOUT);
    try (Exchange exchange = Exchange.open(folder.socket(pid), timeout)) {
      ControlMessage request = ControlMessage.of(MessageType.LIST, ControlMessage.NO_MINOR);
      exchange.send(request.encode(generation));
      while (true) {
        ControlMessage answer = receive(exchange);
        if (!(answer.body() instanceof DiskLine line)) {
          throw unexpected(answer, pid);
        }
        if (line.count() == 0) {
          break;
        }
        lines.add(line);
      }
    }
    Collections.reverse(lines);
    return lines;
  }

  /** Attaches a minor to a process. */
  public void attach(int pid, int minor) throws DiskException {
    change(pid, ControlMessage.of(MessageType.ATTACH, cookie(minor)), MessageType.ATTACH_RSP);
  }

  /** Detaches a minor from its process. */
  public void detach(int pid, int minor) throws DiskException {
    change(pid, ControlMessage.of(MessageType.DETACH, cookie(minor)), MessageType.DETACH_RSP);
  }

  /** Opens a disk at a minor. */
  public DiskInfo open(int pid, int minor, OpenRequest opening) throws DiskException {
    Parameters parameters =
        new Parameters(
            opening.flags(),
            minor,
            0,
            opening.name(),
            opening.parentMinor().orElse(NO_PARENT),
            opening.timeoutSeconds(),
            opening.secondary().orElse(""));
    ControlMessage message = new ControlMessage(MessageType.OPEN, cookie(minor), parameters);
    ControlRequest request =
        new ControlRequest(message, opening.log().map(Path::toString), opening.key());
    ControlMessage answer = exchange(pid, request, Optional.empty());
    if (answer.body() instanceof Image image) {
      return image.info();
    }
    throw unexpected(answer, pid);
  }

  /** What a guest knows of the disk at a minor. */
  public DiskInfo info(int pid, int minor) throws DiskException {
    ControlMessage request = ControlMessage.of(MessageType.DISK_INFO_REQUEST, cookie(minor));
    ControlMessage answer = exchange(pid, ControlRequest.of(request), Optional.empty());
    if (answer.body() instanceof Image image) {
      return image.info();
    }
    throw unexpected(answer, pid);
  }

  /**
   * Closes the disk at a minor.
   *
   * @param timeout how long to wait for the answer; the tapdisk goes on nevertheless
   */
  public void close(int pid, int minor, boolean isForced, Optional<Duration> timeout)
      throws DiskException {
    MessageType type = isForced ? MessageType.FORCE_SHUTDOWN : MessageType.CLOSE;
    change(pid, ControlMessage.of(type, cookie(minor)), MessageType.CLOSE_RSP, timeout);
  }

  /** Pauses the disk at a minor, and waits as {@link #close}. */
  public void pause(int pid, int minor, Optional<Duration> timeout) throws DiskException {
    ControlMessage message = ControlMessage.of(MessageType.PAUSE, cookie(minor));
    change(pid, message, MessageType.PAUSE_RSP, timeout);
  }

  /** Goes on with the disk at a minor. */
  public void resume(int pid, int minor, ResumeRequest resuming) throws DiskException {
    Set<OpenFlag> flags = EnumSet.noneOf(OpenFlag.class);
    resuming.secondary().ifPresent(secondary -> flags.add(OpenFlag.SECONDARY));
    resuming.log().ifPresent(log -> flags.add(OpenFlag.ADD_LOG));
    Parameters parameters =
        new Parameters(
            flags, 0, 0, resuming.name().orElse(""), 0, 0, resuming.secondary().orElse(""));
    ControlMessage message = new ControlMessage(MessageType.RESUME, cookie(minor), parameters);
    ControlRequest request =
        new ControlRequest(message, resuming.log().map(Path::toString), Optional.empty());
    check(exchange(pid, request, Optional.empty()), MessageType.RESUME_RSP, pid);
  }

  /** Lets so much of a minor go in a second. A tapdisk of others does not know that. */
  public void limit(int pid, int minor, RateLimit.Rates rates) throws DiskException {
    ControlMessage message = new ControlMessage(MessageType.LIMIT, cookie(minor), new Rates(rates));
    change(pid, message, MessageType.LIMIT_RSP);
  }

  /** The counters of the disk at a minor, as JSON. */
  public String statistics(int pid, int minor) throws DiskException {
    Optional<Duration> timeout = Optional.of(ControlServer.TIMEOUT);
    try (Exchange exchange = Exchange.open(folder.socket(pid), timeout)) {
      exchange.send(ControlMessage.of(MessageType.STATS, cookie(minor)).encode(generation));
      ControlMessage answer = receive(exchange);
      if (answer.body() instanceof StatisticsLength length) {
        return StandardCharsets.UTF_8.decode(exchange.receive(length.bytes())).toString();
      }
      throw unexpected(answer, pid);
    }
  }

  /**
   * Ends a process that has no disk attached.
   *
   * @throws DiskException with EBUSY if it has one; xapi's refuses always
   */
  public void exit(int pid) throws DiskException {
    try (Exchange exchange =
        Exchange.open(folder.socket(pid), Optional.of(ControlServer.TIMEOUT))) {
      exchange.send(ControlMessage.of(MessageType.EXIT, 0).encode(generation));
      if (exchange.receivesMore()) {
        throw unexpected(receive(exchange), pid);
      }
    }
  }

  private void change(int pid, ControlMessage message, MessageType expected) throws DiskException {
    change(pid, message, expected, Optional.empty());
  }

  private void change(
      int pid, ControlMessage message, MessageType expected, Optional<Duration> timeout)
      throws DiskException {
    check(exchange(pid, ControlRequest.of(message), timeout), expected, pid);
  }

  private static void check(ControlMessage answer, MessageType expected, int pid)
      throws DiskException {
    if (answer.type() != expected) {
      throw unexpected(answer, pid);
    }
    if (answer.body() instanceof Outcome outcome && outcome.error() != 0) {
      throw outcome.failure();
    }
  }

  private ControlMessage exchange(int pid, ControlRequest request, Optional<Duration> timeout)
      throws DiskException {
    ByteBuffer bytes = RequestBytes.of(request, generation);
    try (Exchange exchange = Exchange.open(folder.socket(pid), timeout)) {
      exchange.send(bytes);
      return receive(exchange);
    }
  }

  private ControlMessage receive(Exchange exchange) throws DiskException {
    return ControlMessage.decode(exchange.receive(generation.messageSize()), generation);
  }

  private static DiskException unexpected(ControlMessage answer, int pid) {
    if (answer.type() == MessageType.ERROR && answer.body() instanceof Outcome outcome) {
      return outcome.failure();
    }
    return new DiskException(
        Errno.EINVAL, "got unexpected result '" + answer.type().text() + "' from " + pid);
  }

  private static int cookie(int minor) throws DiskException {
    if (minor < 0 || minor >= Minors.LIMIT) {
      throw new DiskException(Errno.EINVAL, minor + " is no minor");
    }
    return minor;
  }
}
