package io.vdisk.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Bytes of the image that are kept as they are: names, which should be UTF-8 and need not be, and
 * data whose meaning is unknown. Equal if the bytes are. Immutable.
 */
final class RawBytes {
  static final RawBytes EMPTY = new RawBytes(new byte[0]);

  private final byte[] bytes;

  private RawBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  static RawBytes of(byte[] bytes) {
    return new RawBytes(bytes.clone());
  }

  static RawBytes of(String text) {
    return new RawBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  int size() {
    return bytes.length;
  }

  /** A copy of the bytes from {@code start} on, none where there are none. */
  byte[] from(int start) {
    return Arrays.copyOfRange(bytes, Math.min(start, bytes.length), bytes.length);
  }

  /** The number that the eight bytes from {@code start} on are, big-endian. */
  long longAt(int start) {
    return ByteBuffer.wrap(bytes).getLong(start);
  }

  void encode(ByteBuffer target) {
    target.put(bytes);
  }

  /** As text; what is not UTF-8 becomes the replacement character. */
  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RawBytes raw && Arrays.equals(bytes, raw.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
