package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/**
 * One client of a control server: it sends a request, gets an answer, and is closed. Only the
 * server's own thread calls.
 */
final class Connection implements Closeable {
  private enum Stage {
    READING,
    WORKING,
    WRITING
  }

  private final SocketChannel channel;
  private final SelectionKey key;
  private final RequestBytes in;
  private ByteBuffer out = ByteBuffer.allocate(0);
  private Stage stage = Stage.READING;
  private long since = System.nanoTime();

  /** Takes over the channel, which does not block and is registered with this key. */
  Connection(SocketChannel channel, SelectionKey key, Generation generation) {
    this.channel = channel;
    this.key = key;
    this.in = new RequestBytes(generation);
    key.interestOps(SelectionKey.OP_READ);
  }

  /** Whether the client still owes us its request. */
  boolean isReading() {
    return stage == Stage.READING;
  }

  /** Whether the answer is being written. */
  boolean isWriting() {
    return stage == Stage.WRITING;
  }

  /** Whether it is the client's turn. */
  boolean isWaiting() {
    return stage != Stage.WORKING;
  }

  /** For how many nanoseconds it has been. */
  long waited() {
    return System.nanoTime() - since;
  }

  /**
   * Reads what has come. Once the request is whole nothing more is read.
   *
   * @return the request, once it is whole
   * @throws DiskException if it is wrong: it has a cookie
   * @throws IOException if the client has gone
   */
  Optional<ControlRequest> read() throws IOException {
    if (!in.read(channel)) {
      throw new IOException("the client left in the middle of its request");
    }
    Optional<ControlRequest> request = in.request();
    if (request.isPresent()) {
      stage = Stage.WORKING;
      key.interestOps(0);
      in.wipe();
    }
    return request;
  }

  int cookie() {
    return in.cookie();
  }

  /** Sends the answer, as far as the client takes it at once. */
  void answer(ByteBuffer answer) throws IOException {
    out = answer;
    stage = Stage.WRITING;
    since = System.nanoTime();
    write();
  }

  /** Goes on with that. */
  void write() throws IOException {
    channel.write(out);
    if (out.hasRemaining()) {
      key.interestOps(SelectionKey.OP_WRITE);
    } else {
      close();
    }
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() throws IOException {
    in.wipe();
    channel.close();
  }
}
