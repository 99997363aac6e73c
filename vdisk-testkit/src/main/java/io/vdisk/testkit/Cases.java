package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;

/** What the topics of every device's contract share: devices that get closed, and bytes. */
abstract class Cases {
  private final Deque<BlockDevice> devices = new ArrayDeque<>();

  /** Closes {@code device} after the test. */
  final BlockDevice closeLater(BlockDevice device) {
    devices.push(device);
    return device;
  }

  @AfterEach
  final void closeDevices() throws IOException {
    IOException failure = null;
    while (!devices.isEmpty()) {
      try {
        devices.pop().close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Bytes of which none is zero, others for every {@code seed}. */
  static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    for (int i = 0; i < length; i++) {
      if (bytes[i] == 0) {
        bytes[i] = (byte) (1 + i % 127);
      }
    }
    return bytes;
  }

  static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    ByteBuffer dst = ByteBuffer.allocate(length);
    device.read(dst, offset);
    assertEquals(length, dst.position(), "position after a read of " + length + " at " + offset);
    return dst.array();
  }

  static byte[] readAll(BlockDevice device) throws IOException {
    return read(device, 0, Math.toIntExact(device.size()));
  }

  static void write(BlockDevice device, byte[] bytes, long offset) throws IOException {
    ByteBuffer src = ByteBuffer.wrap(bytes);
    device.write(src, offset);
    assertEquals(
        bytes.length,
        src.position(),
        "position after a write of " + bytes.length + " at " + offset);
  }

  /** Writes to the device and to what it is compared with. */
  static void write(BlockDevice device, byte[] expected, byte[] bytes, int offset)
      throws IOException {
    write(device, bytes, offset);
    System.arraycopy(bytes, 0, expected, offset, bytes.length);
  }

  /** Compares the whole disk. */
  static void assertHolds(byte[] expected, BlockDevice device) throws IOException {
    assertEquals(expected.length, device.size(), "size");
    assertSame(expected, readAll(device), 0);
  }

  /** Compares, and names the guest offset of the first byte that differs. */
  static void assertSame(byte[] expected, byte[] actual, long offset) {
    int at = Arrays.mismatch(expected, actual);
    if (at >= 0) {
      fail(
          "the byte at "
              + (offset + at)
              + " is "
              + (at < actual.length ? actual[at] : "missing")
              + " and should be "
              + (at < expected.length ? expected[at] : "missing"));
    }
  }

  /** Fails unless every byte is the old one or zero. */
  static void assertOldOrZero(byte[] old, byte[] actual, long offset) {
    for (int i = 0; i < actual.length; i++) {
      if (actual[i] != 0 && actual[i] != old[i]) {
        fail("the byte at " + (offset + i) + " is " + actual[i] + ", neither " + old[i] + " nor 0");
      }
    }
  }
}
