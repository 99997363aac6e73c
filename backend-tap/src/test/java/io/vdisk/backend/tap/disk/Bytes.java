package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** What tests write to devices and read from them. */
final class Bytes {
  private Bytes() {}

  static byte[] of(int value, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  static void write(BlockDevice device, long offset, int value, int length) throws IOException {
    ByteBuffer src = ByteBuffer.wrap(of(value, length));
    device.write(src, offset);
    if (src.hasRemaining()) {
      throw new AssertionError(src + " was not consumed");
    }
  }

  static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    ByteBuffer dst = ByteBuffer.allocate(length);
    device.read(dst, offset);
    return dst.array();
  }
}
