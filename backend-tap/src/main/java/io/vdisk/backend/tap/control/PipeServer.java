package io.vdisk.backend.tap.control;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The tapdisk of blktap 1: it takes its commands from a pipe and answers into another. {@link
 * #run()} serves until its last disk is closed, or until {@link #close}, which any thread may call;
 * then all disks are flushed and closed, all at the same time.
 */
public final class PipeServer implements Closeable {
  private static final int LEAST_HEADER = PipeDialect.XEN_3_0.headerSize();

  private final Pipes pipes;
  private final long pid;
  private final Disks disks;
  private final BlktapDevices devices;
  private final Map<Integer, Served> served = new ConcurrentHashMap<>();
  private final CompletableFuture<@Nullable Void> stopped = new CompletableFuture<>();
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile boolean hasRead; // what is the reader's stays as it is then

  // The reader's.
  private final ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
  private final FirstFailure failure = new FirstFailure();
  private PipeDialect dialect = PipeDialect.XEN_3_2;
  private boolean isLastClosed;

  /**
   * A disk, and the minor of its device once it has one. Whoever changes it holds its monitor: the
   * reader, or who closes it at the end.
   */
  private static final class Served {
    final String name;
    final ControlledDisk disk;
    OptionalInt minor = OptionalInt.empty();

    Served(String name, ControlledDisk disk) {
      this.name = name;
      this.disk = disk;
    }
  }

  private PipeServer(Pipes pipes, long pid, Disks disks, BlktapDevices devices) {
    this.pipes = pipes;
    this.pid = pid;
    this.disks = disks;
    this.devices = devices;
  }

  /**
   * Opens the pipes.
   *
   * @throws DiskException with ENOENT if one is missing
   */
  public static PipeServer open(Path read, Path write, long pid, Disks disks, BlktapDevices devices)
      throws DiskException {
    return new PipeServer(Pipes.open(read, write), pid, disks, devices);
  }

  /** Serves, and at the end waits for disks for {@link LastClosings#PATIENCE}. */
  public void run() throws IOException {
    run(LastClosings.PATIENCE);
  }

  /**
   * Serves. Called once.
   *
   * @param patience for how long disks that are left open are waited for at the end
   * @throws IOException at the end, if a disk could not be closed well, or in that time: nobody was
   *     told
   */
  public void run(Duration patience) throws IOException {
    try {
      Thread reader = new Thread(this::read, "commands of blktapctrl");
      reader.setDaemon(true); // it may wait for a disk
      reader.start();
      stopped.join();
      LastClosings closings = new LastClosings(patience);
      served.forEach((cookie, one) -> closings.begin(one.name, () -> end(cookie, one)));
      FirstFailure ending = new FirstFailure();
      ending.run(closings::await);
      if (hasRead) { // else it waits for one of these disks
        ending.run(failure::check);
      }
      ending.check();
    } finally {
      pipes.close();
      ended.countDown();
    }
  }

  private void read() {
    try {
      failure.run(this::takeAll);
    } catch (RuntimeException | Error e) {
      failure.run(
          () -> {
            throw RequestHandler.fault(e);
          });
    } finally {
      hasRead = true;
      stopped.complete(null);
    }
  }

  /** Until the last disk is closed, or the pipes are. */
  private void takeAll() throws IOException {
    try {
      while (!isLastClosed && pipes.read(bytes)) {
        takeMessages();
      }
    } catch (ClosedChannelException e) {
      assert stopped.isDone(); // nobody waits for that answer
    }
  }

  /** Carries out each whole message. What gives itself no possible length is dropped with all. */
  private void takeMessages() throws IOException {
    while (!isLastClosed && bytes.position() >= LEAST_HEADER) {
      int length = PipeMessage.length(bytes);
      if (length < LEAST_HEADER || length > PipeMessage.MAX_SIZE) {
        bytes.clear();
        return;
      }
      if (bytes.position() < length) {
        return;
      }
      recogniseDialect(length);
      ByteBuffer message = ByteBuffer.wrap(bytes.array().clone(), 0, length).slice();
      bytes.flip().position(length);
      bytes.compact();
      take(message);
    }
  }

  /** A question for the process is nothing but a header. */
  private void recogniseDialect(int length) {
    if (PipeMessage.typeNumber(bytes) == PipeMessageType.PID.number()) {
      PipeDialect.ofHeader(length).ifPresent(found -> dialect = found);
    }
  }

  private void take(ByteBuffer raw) throws IOException {
    PipeMessage message;
    try {
      message = PipeMessage.decode(raw, dialect);
    } catch (DiskException e) {
      if (PipeMessage.typeNumber(raw) == PipeMessageType.PARAMS.number()) {
        send(PipeMessage.answer(PipeMessageType.IMG_FAIL, new PipeMessage.Nothing()));
      }
      return; // Xen's ignores it, too
    }
    switch (message.type()) {
      case PID -> send(PipeMessage.answer(PipeMessageType.PID_RSP, new PipeMessage.Pid((int) pid)));
      case PARAMS -> send(open(message));
      case NEWDEV -> send(connect(message));
      case CLOSE -> close(message);
      default -> {} // an answer, which nobody asked for
    }
  }

  private void send(PipeMessage answer) throws IOException {
    pipes.write(answer.encode(dialect));
  }

  private PipeMessage open(PipeMessage message) {
    String path = ((PipeMessage.Path) message.body()).path();
    try {
      PipeDriver driver =
          PipeDriver.of(message.driver())
              .orElseThrow(
                  () ->
                      new DiskException(Errno.ENOENT, "no driver has number " + message.driver()));
      DiskInfo info = open(driver.word() + ":" + path, message);
      return PipeMessage.answer(PipeMessageType.IMG, new PipeMessage.Image(info));
    } catch (DiskException e) {
      // The protocol has no place for the reason.
      return new PipeMessage(
          PipeMessageType.IMG_FAIL,
          message.driver(),
          message.cookie(),
          message.isReadOnly(),
          new PipeMessage.Nothing());
    }
  }

  private DiskInfo open(String name, PipeMessage message) throws DiskException {
    int cookie = message.cookie();
    if (served.containsKey(cookie)) {
      throw new DiskException(Errno.EEXIST, "cookie " + cookie + " again");
    }
    Served one = new Served(name, disks.attach(cookie));
    synchronized (one) {
      served.put(cookie, one); // before it is opened, so that it is waited for at the end
      try {
        if (stopped.isDone()) {
          throw new DiskException(Errno.EINTR, "the process ends");
        }
        return one.disk.open(
            message.isReadOnly() ? OpenRequest.of(name, OpenFlag.READ_ONLY) : OpenRequest.of(name));
      } catch (DiskException e) {
        served.remove(cookie);
        one.disk.detach();
        throw e;
      }
    }
  }

  private PipeMessage connect(PipeMessage message) {
    int minor = ((PipeMessage.Device) message.body()).minor();
    Served one = served.get(message.cookie());
    try {
      if (one == null || one.minor.isPresent()) {
        throw new DiskException(Errno.EINVAL, "no disk waits for minor " + minor);
      }
      synchronized (one) {
        devices.connect(minor, one.disk);
        one.minor = OptionalInt.of(minor);
      }
      return PipeMessage.answer(PipeMessageType.NEWDEV_RSP, new PipeMessage.Nothing());
    } catch (DiskException e) {
      return PipeMessage.answer(PipeMessageType.NEWDEV_FAIL, new PipeMessage.Nothing());
    }
  }

  /** Nobody is told, as in Xen; the process ends with its last disk. */
  private void close(PipeMessage message) {
    Served one = served.get(message.cookie());
    if (one != null) {
      failure.run(() -> end(message.cookie(), one));
    }
    isLastClosed = served.isEmpty();
  }

  /** Whatever fails, unless somebody did it before. */
  private void end(int cookie, Served one) throws IOException {
    synchronized (one) {
      if (served.get(cookie) == one) {
        FirstFailure ending = new FirstFailure();
        if (one.minor.isPresent()) {
          ending.run(() -> devices.disconnect(one.minor.getAsInt()));
        }
        ending.run(() -> one.disk.close(false));
        ending.run(one.disk::detach);
        served.remove(cookie);
        ending.check();
      }
    }
  }

  /** Makes {@link #run()} end, and waits until it has. Not before run was called. */
  @Override
  public void close() {
    stopped.complete(null);
    pipes.close();
    Uninterruptibles.awaitUninterruptibly(ended);
  }
}
