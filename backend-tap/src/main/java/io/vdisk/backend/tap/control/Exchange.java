package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One connection to a tapdisk, with an end to waiting. One thread. */
final class Exchange implements Closeable {
  private final Path socket;
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final Optional<Duration> timeout;
  private final long start;
  private final ByteBuffer ahead = ByteBuffer.allocate(1).limit(0);

  private Exchange(
      Path socket, SocketChannel channel, Selector selector, Optional<Duration> timeout, long start)
      throws IOException {
    this.start = start;
    this.socket = socket;
    this.channel = channel;
    this.selector = selector;
    this.timeout = timeout;
    channel.configureBlocking(false);
    this.key = channel.register(selector, 0);
  }

  /**
   * Connects.
   *
   * @param timeout for that and all that is sent and received; none for ever
   * @throws DiskException with ENOENT if there is no such socket, with ECONNREFUSED if its process
   *     has ended, with ETIMEDOUT if it lets nobody in
   */
  static Exchange open(Path socket, Optional<Duration> timeout) throws DiskException {
    if (!Files.exists(socket)) {
      throw new DiskException(Errno.ENOENT, "no tapdisk has the socket " + socket);
    }
    long start = System.nanoTime();
    SocketChannel channel = null;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      connect(channel, socket, timeout);
      return new Exchange(socket, channel, Selector.open(), timeout, start);
    } catch (DiskException e) {
      closeQuietly(channel);
      throw e;
    } catch (IOException e) {
      closeQuietly(channel);
      Errno number = e instanceof ConnectException ? Errno.ECONNREFUSED : Errno.EIO;
      throw new DiskException(number, "no tapdisk answers at " + socket, e);
    }
  }

  /** Waits while there is no room for another client, of which no selector tells. */
  private static void connect(SocketChannel channel, Path socket, Optional<Duration> timeout)
      throws IOException {
    Optional<Future<?>> late = timeout.map(patience -> hangUpLater(channel, patience));
    try {
      boolean unused = channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (AsynchronousCloseException e) {
      throw late(socket, timeout.orElseThrow());
    } finally {
      late.ifPresent(hangingUp -> hangingUp.cancel(false));
    }
  }

  private static Future<?> hangUpLater(SocketChannel channel, Duration patience) {
    return CompletableFuture.runAsync(
        () -> closeQuietly(channel),
        CompletableFuture.delayedExecutor(patience.toNanos(), TimeUnit.NANOSECONDS));
  }

  private static DiskException late(Path socket, Duration timeout) {
    return new DiskException(
        Errno.ETIMEDOUT,
        "the tapdisk at " + socket + " did not answer within " + timeout.toSeconds() + " s");
  }

  private static void closeQuietly(@Nullable SocketChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        assert !channel.isOpen();
      }
    }
  }

  /** Sends all bytes. */
  void send(ByteBuffer bytes) throws DiskException {
    try {
      while (bytes.hasRemaining()) {
        if (channel.write(bytes) == 0) {
          await(SelectionKey.OP_WRITE);
        }
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, "the tapdisk at " + socket + " hung up", e);
    }
  }

  /** Receives so many bytes, at position 0. */
  ByteBuffer receive(int count) throws DiskException {
    ByteBuffer bytes = ByteBuffer.allocate(count).put(ahead);
    try {
      while (bytes.hasRemaining()) {
        int read = channel.read(bytes);
        if (read < 0) {
          throw new DiskException(
              Errno.EIO,
              ("the tapdisk at " + socket + " hung up after ")
                  + (bytes.position() + " of " + count + " bytes"));
        }
        if (read == 0) {
          await(SelectionKey.OP_READ);
        }
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, "the tapdisk at " + socket + " hung up", e);
    }
    return bytes.flip();
  }

  /** Waits for a byte, which stays to be received, or for the end. */
  boolean receivesMore() throws DiskException {
    try {
      ahead.clear();
      while (true) {
        int read = channel.read(ahead);
        if (read != 0) {
          return read > 0;
        }
        await(SelectionKey.OP_READ);
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      return false;
    } finally {
      ahead.flip();
    }
  }

  private void await(int operation) throws IOException {
    key.interestOps(operation);
    if (timeout.isEmpty()) {
      selector.select(ready -> {});
      return;
    }
    long left = timeout.get().toNanos() - (System.nanoTime() - start);
    if (left <= 0) {
      throw late(socket, timeout.get());
    }
    selector.select(ready -> {}, TimeUnit.NANOSECONDS.toMillis(left) + 1);
  }

  @Override
  public void close() {
    closeQuietly(channel);
    try {
      selector.close();
    } catch (IOException e) {
      assert !selector.isOpen();
    }
  }
}
