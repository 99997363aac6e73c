package io.vdisk.testkit;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/** Damage to an image: some bytes are others, or its end is missing. */
final class Mutation {
  /** Field values that lead to overflows, huge tables and endless loops. */
  private static final long[] HOSTILE = {
    0,
    1,
    -1,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Integer.MAX_VALUE,
    1L << 31,
    0xffff_ffffL,
    1L << 32,
    1L << 48,
    1L << 62,
    0xffff_ffff_ffff_fe00L,
    0x8000_0000_0000_0200L,
  };

  private final int offset;
  private final byte[] bytes;
  private final int fileSize;

  /**
   * Damage.
   *
   * @param offset of the first byte that is replaced
   * @param bytes what is there instead
   * @param fileSize bytes of the file that are left, if it has more
   */
  Mutation(int offset, byte[] bytes, int fileSize) {
    this.offset = offset;
    this.bytes = bytes.clone();
    this.fileSize = fileSize;
  }

  /** The file ends early. */
  static Mutation cut(int fileSize) {
    return new Mutation(0, new byte[0], fileSize);
  }

  /** Damage at {@code offset} of {@code image}: a bit, a byte, or a field of 2, 4 or 8 bytes. */
  static Mutation at(int offset, byte[] image, Random random) {
    int kind = random.nextInt(8);
    if (kind == 0) {
      return of(offset, image, (byte) (image[offset] ^ (1 << random.nextInt(8))));
    }
    if (kind == 1) {
      return of(offset, image, (byte) random.nextInt());
    }
    int width = 1 << (1 + random.nextInt(3));
    ByteBuffer field = ByteBuffer.allocate(8);
    switch (kind) {
      case 2, 3 -> field.putLong(0, HOSTILE[random.nextInt(HOSTILE.length)]);
      case 4 -> field.putLong(0, random.nextInt(2 * image.length));
      case 5 -> field.putLong(0, random.nextInt(2 * image.length) & -512);
      case 6 -> field.putLong(0, Long.MIN_VALUE | (random.nextInt(image.length) & -512));
      default -> field.putLong(0, random.nextLong());
    }
    return of(offset & -width, image, Arrays.copyOfRange(field.array(), 8 - width, 8));
  }

  private static Mutation of(int offset, byte[] image, byte... bytes) {
    int inside = Math.min(bytes.length, image.length - offset);
    return new Mutation(offset, Arrays.copyOf(bytes, inside), image.length);
  }

  /** Bytes that are left of a file of {@code size} bytes. */
  long sizeOf(long size) {
    return Math.min(size, fileSize);
  }

  /** Replaces what {@code read} has of the damaged bytes; it was read from {@code from} on. */
  void applyTo(ByteBuffer read, int start, long from, int length) {
    for (int i = 0; i < bytes.length; i++) {
      long at = offset + i - from;
      if (at >= 0 && at < length) {
        read.put(start + (int) at, bytes[i]);
      }
    }
  }

  /** The damaged image. */
  byte[] applyTo(byte[] image) {
    byte[] damaged = image.clone();
    System.arraycopy(bytes, 0, damaged, offset, bytes.length);
    return Arrays.copyOf(damaged, Math.min(image.length, fileSize));
  }

  @Override
  public String toString() {
    return bytes.length == 0
        ? "cut to " + fileSize
        : HexFormat.of().formatHex(bytes) + " at " + offset;
  }
}
