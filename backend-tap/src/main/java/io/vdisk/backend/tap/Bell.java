package io.vdisk.backend.tap;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A stream socket by which two processes wake each other: each byte is a ring of the bell. Many
 * rings that nobody heard yet are as good as one. Before the first ring, sentences are exchanged: a
 * length in bytes as a u16 of the host's byte order, and as many bytes of UTF-8.
 *
 * <p>One thread at a time waits; any may ring, wake and close.
 */
final class Bell implements Closeable {
  private static final Logger LOG = System.getLogger(Bell.class.getName());

  /** Look at the ring. */
  static final byte RING = 1;

  /** Look at the numbers of the disk, too. */
  static final byte SIZE = 2;

  private static final int LENGTH = 2;

  private final SocketChannel socket;
  private final Selector selector;
  private final ByteBuffer heard = ByteBuffer.allocateDirect(64);

  /** Owns the socket, which is connected. */
  Bell(SocketChannel socket) throws IOException {
    this.socket = socket;
    try {
      socket.configureBlocking(false);
      this.selector = Selector.open();
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    socket.register(selector, SelectionKey.OP_READ);
  }

  /**
   * Rings. Where the other side has not heard so many that no further byte fits, that is enough;
   * that it has gone, {@link #await} says.
   */
  void ring(byte what) {
    try {
      socket.write(ByteBuffer.wrap(new byte[] {what}));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "nobody hears the bell", e);
    }
  }

  /**
   * Sleeps until the other side rang, or {@link #wake} was called.
   *
   * @return false if the other side has gone
   * @throws InterruptedIOException if the thread was interrupted, which stays so
   */
  boolean await() throws IOException {
    selector.select(key -> {});
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted while waiting for the other side");
    }
    heard.clear();
    try {
      return socket.read(heard) >= 0;
    } catch (SocketException e) {
      return false; // reset: it has gone without hearing all
    }
  }

  /** True if {@link #SIZE} was among what the last {@link #await} heard. */
  boolean heardSize() {
    for (int i = 0; i < heard.position(); i++) {
      if (heard.get(i) == SIZE) {
        return true;
      }
    }
    return false;
  }

  /** Wakes who awaits. */
  void wake() {
    selector.wakeup();
  }

  /**
   * A sentence of the other side.
   *
   * @throws SocketTimeoutException if it does not come in time
   * @throws EOFException if the other side hangs up before its end
   */
  String readSentence(long milliseconds) throws IOException {
    long end = System.nanoTime() + milliseconds * 1_000_000;
    ByteBuffer length = ByteBuffer.allocate(LENGTH).order(ByteOrder.nativeOrder());
    fill(length, end);
    ByteBuffer text = ByteBuffer.allocate(length.getShort(0) & 0xffff);
    fill(text, end);
    return new String(text.array(), StandardCharsets.UTF_8);
  }

  private void fill(ByteBuffer buffer, long end) throws IOException {
    while (buffer.hasRemaining()) {
      int read = socket.read(buffer);
      if (read < 0) {
        throw new EOFException("the other side hung up in the middle of a sentence");
      }
      if (read == 0) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new SocketTimeoutException("the other side said nothing for too long");
        }
        selector.select(key -> {}, left);
      }
    }
  }

  /** Says a sentence of at most 65,535 bytes; what is longer is cut. It fits the empty socket. */
  void writeSentence(String sentence) throws IOException {
    byte[] text = sentence.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(text.length, 0xffff);
    ByteBuffer all = ByteBuffer.allocate(LENGTH + length).order(ByteOrder.nativeOrder());
    all.putShort((short) length).put(text, 0, length).flip();
    socket.write(all);
  }

  @Override
  public void close() throws IOException {
    try (selector;
        socket) {}
  }
}
