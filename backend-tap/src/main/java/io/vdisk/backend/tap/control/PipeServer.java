package io.vdisk.backend.tap.control;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
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
  private final PipeDisks disks;
  private final CompletableFuture<@Nullable Void> stopped = new CompletableFuture<>();
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile boolean hasRead; // what is the reader's stays as it is then

  // The reader's.
  private final ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
  private final FirstFailure failure = new FirstFailure();
  private PipeDialect dialect = PipeDialect.XEN_3_2;
  private boolean isLastClosed;

  private PipeServer(Pipes pipes, long pid, PipeDisks disks) {
    this.pipes = pipes;
    this.pid = pid;
    this.disks = disks;
  }

  /**
   * Opens the pipes.
   *
   * @throws DiskException with ENOENT if one is missing
   */
  public static PipeServer open(Path read, Path write, long pid, Disks disks, BlktapDevices devices)
      throws DiskException {
    return new PipeServer(Pipes.open(read, write), pid, new PipeDisks(disks, devices));
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
      FirstFailure ending = new FirstFailure();
      ending.run(disks.closeAll(patience)::await);
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
    failure.run(this::takeAll);
    hasRead = true;
    stopped.complete(null);
  }

  /** Until the last disk is closed, or the pipes are. */
  private void takeAll() throws IOException {
    try {
      while (!isLastClosed && pipes.read(bytes)) {
        takeMessages();
      }
    } catch (ClosedChannelException e) {
      assert stopped.isDone(); // nobody waits for that answer
    } catch (RuntimeException | Error e) {
      throw RequestHandler.fault(e);
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
      String name = driver.word() + ":" + path;
      DiskInfo info = disks.open(message.cookie(), name, message.isReadOnly());
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

  private PipeMessage connect(PipeMessage message) {
    try {
      disks.connect(message.cookie(), ((PipeMessage.Device) message.body()).minor());
      return PipeMessage.answer(PipeMessageType.NEWDEV_RSP, new PipeMessage.Nothing());
    } catch (DiskException e) {
      return PipeMessage.answer(PipeMessageType.NEWDEV_FAIL, new PipeMessage.Nothing());
    }
  }

  /** Nobody is told, as in Xen; the process ends with its last disk. */
  private void close(PipeMessage message) {
    failure.run(() -> disks.close(message.cookie()));
    isLastClosed = disks.isEmpty();
  }

  /** Makes {@link #run()} end, and waits until it has. Not before run was called. */
  @Override
  public void close() {
    stopped.complete(null);
    pipes.close();
    Uninterruptibles.awaitUninterruptibly(ended);
  }
}
