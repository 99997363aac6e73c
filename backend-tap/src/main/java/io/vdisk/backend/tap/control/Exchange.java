package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One connection to a tapdisk, with an end to waiting. One thread. */
final class Exchange implements Closeable {
  private final Path socket;
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final Optional<Duration> timeout;
  private final long start = System.nanoTime();
  private final ByteBuffer ahead = ByteBuffer.allocate(1).limit(0);

  private Exchange(
      Path socket, SocketChannel channel, Selector selector, Optional<Duration> timeout)
      throws IOException {
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
   * @param timeout for all that is sent and received; none for ever
   * @throws DiskException with ENOENT if there is no such socket, with ECONNREFUSED if its process
   *     has ended
   */
  static Exchange open(Path socket, Optional<Duration> timeout) throws DiskException {
    if (!Files.exists(socket)) {
      throw new DiskException(Errno.ENOENT, "no tapdisk has the socket " + socket);
    }
    SocketChannel channel = null;
    try {
      channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
      return new Exchange(socket, channel, Selector.open(), timeout);
    } catch (IOException e) {
      closeQuietly(channel);
      Errno number = e instanceof ConnectException ? Errno.ECONNREFUSED : Errno.EIO;
      throw new DiskException(number, "no tapdisk answers at " + socket, e);
    }
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
      throw new DiskException(
          Errno.ETIMEDOUT,
          "the tapdisk at "
              + socket
              + " did not answer within "
              + timeout.get().toSeconds()
              + " s");
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
