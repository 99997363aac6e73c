package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
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
 * caller at a time. A tapdisk that has not answered in time is given up: it is asked nothing more,
 * since a late answer would be taken for another one, and only told what to close.
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
  private boolean isGivenUp;

  PipeClient(Pipes pipes, PipeDialect dialect, Duration timeout) {
    this.pipes = pipes;
    this.dialect = dialect;
    this.timeout = timeout;
  }

  /** Sends what gets no answer. */
  void send(PipeMessage message) throws DiskException {
    try {
      pipes.write(message.encode(dialect));
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, "the pipe to a tapdisk is broken", e);
    }
  }

  /**
   * Sends a request and receives an answer.
   *
   * @throws DiskException with ETIMEDOUT if none comes in time, with EIO if one did not before
   */
  PipeMessage ask(PipeMessage request) throws DiskException {
    if (isGivenUp) {
      throw new DiskException(
          Errno.EIO, "the tapdisk was given up: it has not answered in time before");
    }
    send(request);
    Future<PipeMessage> answer = reader.submit(this::receive);
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      isGivenUp = true;
      throw new DiskException(
          Errno.ETIMEDOUT,
          "the tapdisk did not answer " + request.type() + " within " + timeout.toSeconds() + " s",
          e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof DiskException told) {
        throw told;
      }
      throw new DiskException(Errno.EIO, "the pipe from a tapdisk is broken", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      isGivenUp = true;
      throw new DiskException(Errno.EINTR, "interrupted", e);
    }
  }

  private PipeMessage receive() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
    int size = dialect.headerSize();
    while (bytes.position() < size) {
      bytes.limit(size);
      if (!pipes.read(bytes)) {
        throw new DiskException(Errno.EIO, "the pipe was closed");
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
