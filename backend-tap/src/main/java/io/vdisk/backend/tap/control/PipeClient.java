package io.vdisk.backend.tap.control;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The daemon's end of the pipes to one tapdisk: sends a message and waits for its answer. One
 * caller at a time. A tapdisk that has not answered in time is given up: no more is sent to it.
 */
final class PipeClient implements Closeable {
  private final Pipes pipes;
  private final PipeDialect dialect;
  private final Duration timeout;
  private final ExecutorService reader =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "pipe of a tapdisk");
            thread.setDaemon(true);
            return thread;
          });

  PipeClient(Pipes pipes, PipeDialect dialect, Duration timeout) {
    this.pipes = pipes;
    this.dialect = dialect;
    this.timeout = timeout;
  }

  /** Sends what gets no answer. */
  void send(PipeMessage message) throws ControlException {
    try {
      pipes.write(message.encode(dialect));
    } catch (ControlException e) {
      throw e;
    } catch (IOException e) {
      throw new ControlException(ErrorNumber.EIO, "the pipe to a tapdisk is broken", e);
    }
  }

  /**
   * Sends a request and receives an answer.
   *
   * @throws ControlException with ETIMEDOUT if none comes in time
   */
  PipeMessage ask(PipeMessage request) throws ControlException {
    send(request);
    Future<PipeMessage> answer = reader.submit(this::receive);
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      close();
      throw new ControlException(
          ErrorNumber.ETIMEDOUT,
          "the tapdisk did not answer " + request.type() + " within " + timeout.toSeconds() + " s",
          e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ControlException told) {
        throw told;
      }
      throw new ControlException(ErrorNumber.EIO, "the pipe from a tapdisk is broken", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new ControlException(ErrorNumber.EINTR, "interrupted", e);
    }
  }

  private PipeMessage receive() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
    int size = dialect.headerSize();
    while (bytes.position() < size) {
      bytes.limit(size);
      if (!pipes.read(bytes)) {
        throw new ControlException(ErrorNumber.EIO, "the pipe was closed");
      }
      if (bytes.position() >= dialect.headerSize()) {
        int number = PipeMessage.typeNumber(bytes);
        size =
            PipeMessageType.of(number)
                .map(type -> PipeMessage.answerSize(type, dialect))
                .orElse(dialect.headerSize());
      }
    }
    return PipeMessage.decode(bytes.limit(size).slice(0, size), dialect);
  }

  @Override
  public void close() {
    pipes.close();
    reader.shutdownNow();
  }
}
