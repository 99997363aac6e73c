package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Brings the requests of connections to the handler, and the answers back: at once what waits for
 * nothing, by a worker all else. Whatever goes wrong, there is an answer. Only the server's own
 * thread calls.
 */
final class Answers {
  /** Commands that wait for their disks at a time: ours, twice the disks of a large process. */
  static final int MOST_COMMANDS = 64;

  private static final int IDLE_WORKER_SECONDS = 5;

  private final RequestHandler handler;
  private final Generation generation;
  private final Connections connections;
  private final Runnable wakeup;
  private final BooleanSupplier exit;
  private final Queue<Runnable> finished = new ConcurrentLinkedQueue<>();

  /** As many as there are commands, and never too few: one may be at its end yet. */
  private final ExecutorService workers =
      new ThreadPoolExecutor(
          0, Integer.MAX_VALUE, IDLE_WORKER_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>());

  /**
   * None yet.
   *
   * @param wakeup called by a worker: {@link #giveFinished} is to be called
   * @param exit ends the process, or returns false
   */
  Answers(
      RequestHandler handler,
      Generation generation,
      Connections connections,
      Runnable wakeup,
      BooleanSupplier exit) {
    this.handler = handler;
    this.generation = generation;
    this.connections = connections;
    this.wakeup = wakeup;
    this.exit = exit;
  }

  /** Reads what has come, or writes what can go; a request that is whole is begun. */
  void proceed(Connection connection) throws IOException {
    if (connection.isWriting()) {
      connection.write();
      return;
    }
    Optional<ControlRequest> request;
    try {
      request = connection.read();
    } catch (DiskException e) {
      Reply refusal = Reply.of(ControlMessage.error(connection.cookie(), e));
      connection.answer(refusal.encode(generation));
      return;
    }
    if (request.isPresent()) {
      begin(connection, request.get());
    }
  }

  private void begin(Connection connection, ControlRequest request) throws IOException {
    MessageType type = request.message().type();
    if (type == MessageType.EXIT && exit.getAsBoolean()) {
      connection.close();
    } else if (RequestHandler.isImmediate(type)) {
      connection.answer(encoded(request));
    } else if (type != MessageType.FORCE_SHUTDOWN && connections.working() > MOST_COMMANDS) {
      request.key().ifPresent(DiskKey::close);
      connection.answer(
          error(
              request,
              new DiskException(
                  Errno.EBUSY, MOST_COMMANDS + " commands wait for their disks already")));
    } else {
      beginWorker(connection, request);
    }
  }

  private void beginWorker(Connection connection, ControlRequest request) throws IOException {
    try {
      workers.execute(
          () -> {
            ByteBuffer answer = encoded(request);
            finished.add(() -> connections.attempt(connection, () -> connection.answer(answer)));
            wakeup.run();
          });
    } catch (OutOfMemoryError e) { // the host lets no further thread be made
      request.key().ifPresent(DiskKey::close);
      connection.answer(
          error(request, new DiskException(Errno.ENOMEM, "no thread can carry this out", e)));
    }
  }

  /** Begins to write what workers have answered. */
  void giveFinished() {
    for (Runnable next = finished.poll(); next != null; next = finished.poll()) {
      next.run();
    }
  }

  /** No more requests will come. */
  void endWorkers() {
    workers.shutdown();
  }

  private ByteBuffer encoded(ControlRequest request) {
    try {
      return handler.answer(request).encode(generation);
    } catch (DiskException e) {
      return error(request, e);
    } catch (RuntimeException | Error e) {
      return error(request, RequestHandler.fault(e));
    }
  }

  private ByteBuffer error(ControlRequest request, DiskException failure) {
    try {
      return Reply.of(ControlMessage.error(request.message().cookie(), failure)).encode(generation);
    } catch (DiskException impossible) {
      throw new AssertionError("every generation has errors", impossible);
    }
  }
}
