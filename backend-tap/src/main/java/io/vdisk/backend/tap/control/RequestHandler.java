package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.control.AttachedDisks.Attached;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Carries out requests, with the numbers of errors that xapi's tapdisk gives. Any thread may call;
 * what changes a disk waits for what changes the same disk, and for nothing else; a forced closing
 * waits for nothing.
 */
final class RequestHandler {
  private final long pid;
  private final Generation generation;
  private final AttachedDisks disks;
  private final GuestRings rings;

  RequestHandler(long pid, Generation generation, AttachedDisks disks, GuestRings rings) {
    this.pid = pid;
    this.generation = generation;
    this.disks = disks;
    this.rings = rings;
  }

  /** Whether a request is answered at once, whatever else is going on. */
  static boolean isImmediate(MessageType type) {
    return switch (type) {
      case PID, LIST, LIST_MINORS, STATS, DISK_INFO_REQUEST -> true;
      default -> false;
    };
  }

  /** Answers a request; a failure is an answer too. */
  Reply answer(ControlRequest request) {
    ControlMessage message = request.message();
    try {
      return carryOut(request);
    } catch (DiskException e) {
      return Reply.failure(message.type(), message.cookie(), e, generation);
    } catch (RuntimeException | Error e) {
      return Reply.failure(message.type(), message.cookie(), fault(e), generation);
    }
  }

  /** What is told of a failure that nobody foresaw. */
  static DiskException fault(Throwable failure) {
    StackTraceElement[] stack = failure.getStackTrace();
    String where = stack.length == 0 ? "" : " at " + stack[0];
    return new DiskException(
        Errno.EIO, "this is a fault of the program itself: " + failure + where, failure);
  }

  private Reply carryOut(ControlRequest request) throws DiskException {
    int minor = request.message().cookie();
    return switch (request.message().type()) {
      case PID -> reply(request, MessageType.PID_RSP, new ProcessId((int) pid));
      case LIST -> list(minor);
      case LIST_MINORS -> reply(request, MessageType.LIST_MINORS_RSP, new MinorList(minors()));
      case STATS -> statistics(minor);
      case DISK_INFO_REQUEST ->
          reply(request, MessageType.DISK_INFO_RSP, new Image(attached(minor).disk().info()));
      case ATTACH -> attach(request);
      case DETACH -> change(request, MessageType.DETACH_RSP, disks::detach);
      case OPEN -> open(request);
      case CLOSE -> closed(change(request, MessageType.CLOSE_RSP, one -> one.disk().close(false)));
      case FORCE_SHUTDOWN -> force(request);
      case PAUSE -> change(request, MessageType.PAUSE_RSP, one -> one.disk().pause());
      case RESUME ->
          change(request, MessageType.RESUME_RSP, one -> one.disk().resume(request.resuming()));
      case LIMIT ->
          change(
              request,
              MessageType.LIMIT_RSP,
              one -> one.disk().limit(((Rates) request.message().body()).rates()));
      case XENBLKIF_CONNECT ->
          change(
              request,
              MessageType.XENBLKIF_CONNECT_RSP,
              one -> rings.connect(one.disk(), ring(request)));
      case XENBLKIF_DISCONNECT -> disconnect(request);
      case EXIT -> throw new DiskException(Errno.EBUSY, "disks are attached");
      default ->
          throw new DiskException(
              Errno.EINVAL, "a tapdisk is not asked '" + request.message().type().text() + "'");
    };
  }

  private static Reply reply(ControlRequest request, MessageType type, MessageBody body) {
    return Reply.of(new ControlMessage(type, request.message().cookie(), body));
  }

  private Reply list(int cookie) {
    List<Attached> all = disks.all();
    List<ControlMessage> messages = new ArrayList<>();
    int count = all.size();
    for (Attached one : all) {
      DiskLine line =
          new DiskLine(count--, one.minor(), one.disk().state(), one.disk().name().orElse(""));
      messages.add(new ControlMessage(MessageType.LIST_RSP, cookie, line));
    }
    messages.add(new ControlMessage(MessageType.LIST_RSP, cookie, DiskLine.END));
    return new Reply(messages, "");
  }

  private List<Integer> minors() {
    return disks.all().stream().map(Attached::minor).toList();
  }

  private Reply statistics(int minor) throws DiskException {
    String json =
        minor == ControlMessage.NO_MINOR
            ? disks.all().stream()
                .map(one -> one.disk().statistics())
                .collect(Collectors.joining(", ", "[ ", " ]"))
            : attached(minor).disk().statistics();
    int bytes = json.getBytes(StandardCharsets.UTF_8).length;
    ControlMessage head =
        new ControlMessage(MessageType.STATS_RSP, minor, new StatisticsLength(bytes));
    return new Reply(List.of(head), json);
  }

  private Reply attach(ControlRequest request) throws DiskException {
    disks.attach(request.message().cookie());
    return reply(request, MessageType.ATTACH_RSP, Outcome.DONE);
  }

  private Reply open(ControlRequest request) throws DiskException {
    boolean isOpen = false;
    try {
      OpenRequest opening = request.opening();
      int minor = request.message().cookie();
      Attached one = disks.find(minor).orElseThrow(() -> absent(Errno.EINVAL, minor));
      synchronized (one) {
        DiskInfo info = stillAttached(one, Errno.EINVAL).disk().open(opening);
        isOpen = true;
        return reply(request, MessageType.OPEN_RSP, new Image(info));
      }
    } finally {
      if (!isOpen) {
        request.key().ifPresent(DiskKey::close);
      }
    }
  }

  private interface Change {
    void apply(Attached one) throws DiskException;
  }

  private Reply change(ControlRequest request, MessageType answer, Change change)
      throws DiskException {
    Attached one = attached(request.message().cookie());
    synchronized (one) {
      change.apply(stillAttached(one, missing()));
    }
    return reply(request, answer, Outcome.DONE);
  }

  /** Beside whatever else is being done to the disk, which may wait for the host for ever. */
  private Reply force(ControlRequest request) throws DiskException {
    attached(request.message().cookie()).disk().close(true);
    return closed(reply(request, MessageType.CLOSE_RSP, Outcome.DONE));
  }

  /** Its rings have gone with a disk. */
  private Reply closed(Reply answer) {
    rings.forgetGone();
    return answer;
  }

  private Reply disconnect(ControlRequest request) throws DiskException {
    GuestRing ring = ring(request);
    rings.disconnect(ring.domain(), ring.device());
    return reply(request, MessageType.XENBLKIF_DISCONNECT_RSP, Outcome.DONE);
  }

  private static GuestRing ring(ControlRequest request) {
    return (GuestRing) request.message().body();
  }

  private Attached attached(int minor) throws DiskException {
    return disks.find(minor).orElseThrow(() -> absent(missing(), minor));
  }

  private Attached stillAttached(Attached one, Errno number) throws DiskException {
    if (disks.find(one.minor()).filter(one::equals).isEmpty()) {
      throw absent(number, one.minor());
    }
    return one;
  }

  /** What is said of a minor that is not attached. */
  private Errno missing() {
    return generation == Generation.TODAY ? Errno.ENODEV : Errno.EINVAL;
  }

  private static DiskException absent(Errno number, int minor) {
    return new DiskException(number, "minor " + minor + " is not attached to this process");
  }
}
