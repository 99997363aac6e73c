package io.vdisk.testkit;

import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** What one sector of a file holds; never changed. */
final class SectorValue {
  static final int BYTES = 512;

  /** What was never written, or punched out; zeroes that were written are data. */
  static final SectorValue HOLE = new SectorValue(new byte[BYTES]);

  /** An odd number without a pattern: 2 to the 64th, divided by the golden ratio. */
  private static final long FACTOR = 0x9E37_79B9_7F4A_7C15L;

  private final byte[] bytes;
  private final long hash;

  private SectorValue(byte[] bytes) {
    this.bytes = bytes;
    this.hash = hash(bytes);
  }

  private static long hash(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long hash = 0;
    for (int i = 0; i < BYTES; i += Long.BYTES) {
      hash = mix(hash + words.getLong(i));
    }
    return hash;
  }

  /** Another number for each number; 0 stays 0. */
  static long mix(long number) {
    long mixed = number * FACTOR;
    return mixed ^ mixed >>> 32;
  }

  boolean isHole() {
    return this == HOLE;
  }

  /** A hash of the bytes at their place in a file; 0 if they are zeroes, written or not. */
  long hashAt(long offset) {
    return hash == 0 ? 0 : mix(hash + mix(offset));
  }

  void writeTo(MemoryFile image, long offset) throws IOException {
    image.write(ByteBuffer.wrap(bytes), offset);
  }

  void get(ByteBuffer dst, int from, int length) {
    dst.put(bytes, from, length);
  }

  /** The same but for {@code length} bytes of {@code src} at {@code from}. */
  SectorValue with(ByteBuffer src, int from, int length) {
    byte[] changed = bytes.clone();
    src.get(changed, from, length);
    return new SectorValue(changed);
  }

  /** The same but for zeroes from {@code from} to {@code to}. */
  SectorValue zeroed(int from, int to) {
    if (to - from == BYTES) {
      return HOLE;
    }
    byte[] changed = bytes.clone();
    Arrays.fill(changed, from, to, (byte) 0);
    return new SectorValue(changed);
  }

  /** How many bytes there are before the zeroes at the end. */
  int used() {
    int used = BYTES;
    while (used > 0 && bytes[used - 1] == 0) {
      used--;
    }
    return used;
  }
}
