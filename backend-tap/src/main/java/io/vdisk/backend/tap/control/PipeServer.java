package io.vdisk.backend.tap.control;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * The tapdisk of blktap 1: it takes its commands from a pipe and answers into another. {@link #run}
 * serves until its last disk is closed, or until {@link #close}, which any thread may call; then
 * all disks are flushed and closed.
 */
public final class PipeServer implements Closeable {
  private static final int LEAST_HEADER = PipeDialect.XEN_3_0.headerSize();

  private final Pipes pipes;
  private final long pid;
  private final Disks disks;
  private final BlktapDevices devices;
  private final Map<Integer, Served> served = new HashMap<>();
  private final ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
  private final CountDownLatch ended = new CountDownLatch(1);
  private PipeDialect dialect = PipeDialect.XEN_3_2;
  private boolean isLastClosed;
  private @Nullable DiskException failure;

  /** A disk by its cookie, and the minor of its device once it has one. */
  private static final class Served {
    final ControlledDisk disk;
    OptionalInt minor = OptionalInt.empty();

    Served(ControlledDisk disk) {
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

  /**
   * Serves. Called once.
   *
   * @throws IOException at the end, if a disk could not be closed well: nobody was told
   */
  public void run() throws IOException {
    try {
      while (!isLastClosed && pipes.read(bytes)) {
        takeMessages();
      }
      Set.copyOf(served.keySet()).forEach(this::end);
      if (failure != null) {
        throw failure;
      }
    } finally {
      pipes.close();
      ended.countDown();
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
      if (served.containsKey(message.cookie())) {
        throw new DiskException(Errno.EEXIST, "cookie " + message.cookie() + " again");
      }
      ControlledDisk disk = disks.attach(message.cookie());
      DiskInfo info = open(disk, driver.word() + ":" + path, message.isReadOnly());
      served.put(message.cookie(), new Served(disk));
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

  private static DiskInfo open(ControlledDisk disk, String name, boolean isReadOnly)
      throws DiskException {
    try {
      return disk.open(
          isReadOnly ? OpenRequest.of(name, OpenFlag.READ_ONLY) : OpenRequest.of(name));
    } catch (DiskException e) {
      disk.detach();
      throw e;
    }
  }

  private PipeMessage connect(PipeMessage message) {
    int minor = ((PipeMessage.Device) message.body()).minor();
    Served one = served.get(message.cookie());
    try {
      if (one == null || one.minor.isPresent()) {
        throw new DiskException(Errno.EINVAL, "no disk waits for minor " + minor);
      }
      devices.connect(minor, one.disk);
      one.minor = OptionalInt.of(minor);
      return PipeMessage.answer(PipeMessageType.NEWDEV_RSP, new PipeMessage.Nothing());
    } catch (DiskException e) {
      return PipeMessage.answer(PipeMessageType.NEWDEV_FAIL, new PipeMessage.Nothing());
    }
  }

  /** Nobody is told, as in Xen; the process ends with its last disk. */
  private void close(PipeMessage message) {
    end(message.cookie());
    isLastClosed = served.isEmpty();
  }

  /** What fails is one disk's trouble, not the others'. */
  private void end(int cookie) {
    Served one = served.remove(cookie);
    if (one != null) {
      if (one.minor.isPresent()) {
        attempt(() -> devices.disconnect(one.minor.getAsInt()));
      }
      attempt(() -> one.disk.close(false));
      attempt(one.disk::detach);
    }
  }

  private interface Step {
    void run() throws DiskException;
  }

  private void attempt(Step step) {
    try {
      step.run();
    } catch (DiskException e) {
      if (failure == null) {
        failure = e;
      } else {
        failure.addSuppressed(e);
      }
    }
  }

  /** Makes {@link #run} end, and waits until it has. Not before run was called. */
  @Override
  public void close() {
    pipes.close();
    Uninterruptibles.awaitUninterruptibly(ended);
  }
}
