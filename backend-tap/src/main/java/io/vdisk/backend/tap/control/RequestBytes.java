package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenFlag;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Arrays;
import java.util.Optional;

/**
 * The bytes of one request, gathered until it is whole: a message, then the name of a log in 256
 * bytes and a key behind a byte with its length, each where a flag says so. No byte beyond them is
 * read. One thread.
 */
final class RequestBytes {
  /** TAPDISK_MESSAGE_MAX_PATH_LENGTH. */
  static final int LOG_BYTES = 256;

  /** xapi's tapdisk takes no longer key. */
  static final int MAX_KEY_BYTES = 128;

  private final Generation generation;
  private final ByteBuffer bytes;

  RequestBytes(Generation generation) {
    this.generation = generation;
    this.bytes = ByteBuffer.allocate(generation.messageSize() + LOG_BYTES + 1 + MAX_KEY_BYTES);
    bytes.limit(generation.messageSize());
  }

  /** Whether nothing has come yet. */
  boolean isEmpty() {
    return bytes.position() == 0;
  }

  /**
   * Reads what has come.
   *
   * @return false at the end of the channel
   */
  boolean read(ReadableByteChannel channel) throws IOException {
    return channel.read(bytes) >= 0;
  }

  /**
   * The request, once it is whole.
   *
   * @throws DiskException if it is wrong
   */
  Optional<ControlRequest> request() throws DiskException {
    if (bytes.hasRemaining()) {
      return Optional.empty();
    }
    ControlMessage message =
        ControlMessage.decode(bytes.slice(0, generation.messageSize()), generation);
    int logBytes = hasLog(message) ? LOG_BYTES : 0;
    int keyStart = generation.messageSize() + logBytes + 1;
    if (!hasKey(message)) {
      if (needsUpTo(keyStart - 1)) {
        return Optional.empty();
      }
      return Optional.of(new ControlRequest(message, log(logBytes), Optional.empty()));
    }
    if (needsUpTo(keyStart) || needsUpTo(keyStart + keyBytes(keyStart))) {
      return Optional.empty();
    }
    byte[] key = new byte[keyBytes(keyStart)];
    bytes.get(keyStart, key);
    DiskKey kept = new DiskKey(key);
    Arrays.fill(key, (byte) 0);
    return Optional.of(new ControlRequest(message, log(logBytes), Optional.of(kept)));
  }

  /** The cookie, once the message is there. */
  int cookie() {
    return ControlMessage.cookie(bytes);
  }

  /** Overwrites all that came. */
  void wipe() {
    Arrays.fill(bytes.array(), (byte) 0);
  }

  private boolean needsUpTo(int end) {
    if (bytes.limit() < end) {
      bytes.limit(end);
    }
    return bytes.position() < end;
  }

  private int keyBytes(int keyStart) throws DiskException {
    int length = bytes.get(keyStart - 1) & 0xff;
    if (length == 0 || length > MAX_KEY_BYTES) {
      throw new DiskException(Errno.EINVAL, "a key of " + length + " bytes");
    }
    return length;
  }

  private Optional<String> log(int length) throws DiskException {
    if (length == 0) {
      return Optional.empty();
    }
    byte[] raw = new byte[length];
    bytes.get(generation.messageSize(), raw);
    return Optional.of(WireText.of(raw, "name of the log"));
  }

  /** In Xen 4.1 nothing follows a message. */
  private boolean hasLog(ControlMessage message) {
    return generation == Generation.TODAY
        && message.body() instanceof Parameters parameters
        && parameters.flags().contains(OpenFlag.ADD_LOG);
  }

  private static boolean hasKey(ControlMessage message) {
    return message.type() == MessageType.OPEN
        && message.body() instanceof Parameters parameters
        && parameters.flags().contains(OpenFlag.ENCRYPTED);
  }

  /** The bytes of a request as a client sends it. */
  static ByteBuffer of(ControlRequest request, Generation generation) throws DiskException {
    ByteBuffer message = request.message().encode(generation);
    int logBytes = request.log().isPresent() ? LOG_BYTES : 0;
    byte[] key = request.key().map(DiskKey::copy).orElse(new byte[0]);
    int keyBytes = key.length == 0 ? 0 : 1 + key.length;
    ByteBuffer all = ByteBuffer.allocate(message.capacity() + logBytes + keyBytes).put(message);
    if (request.log().isPresent()) {
      all.put(WireText.bytes(request.log().get(), LOG_BYTES, "name of the log"));
    }
    if (keyBytes > 0) {
      all.put((byte) key.length).put(key);
      Arrays.fill(key, (byte) 0);
    }
    return all.flip();
  }
}
