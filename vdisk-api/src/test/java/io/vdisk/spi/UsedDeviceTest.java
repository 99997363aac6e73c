package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What an image is made over is not recognised as what it was. */
class UsedDeviceTest {
  private static final int SIGNATURES = 64 << 10;

  @Test
  void firstWriteTakesWhatEitherEndIsRecognisedBy() throws IOException {
    MemoryFile device = full(4 * SIGNATURES);
    new UsedDevice(device).write(ByteBuffer.wrap(new byte[] {7}), 2 * SIGNATURES);

    byte[] content = content(device);
    assertEquals(2 * SIGNATURES, zeroes(content));
    assertEquals(SIGNATURES, zeroes(Arrays.copyOf(content, SIGNATURES)));
    assertEquals(7, content[2 * SIGNATURES]);
    assertEquals(1, content[SIGNATURES]);
  }

  @Test
  void firstZeroesDoToo() throws IOException {
    MemoryFile device = full(4 * SIGNATURES);
    new UsedDevice(device).zero(SIGNATURES, 512, true);
    assertEquals(2 * SIGNATURES + 512, zeroes(content(device)));
  }

  @Test
  void laterWriteLeavesBothEnds() throws IOException {
    MemoryFile device = full(4 * SIGNATURES);
    UsedDevice used = new UsedDevice(device);
    used.write(ByteBuffer.wrap(new byte[] {7}), 0);
    used.write(ByteBuffer.wrap(new byte[] {8}), SIGNATURES);
    assertEquals(7, content(device)[0]);
  }

  @Test
  void deviceSmallerThanBothEndsIsEmptied() throws IOException {
    MemoryFile device = full(SIGNATURES / 2);
    new UsedDevice(device).write(ByteBuffer.allocate(1), 0);
    assertEquals(SIGNATURES / 2, zeroes(content(device)));
  }

  private static MemoryFile full(int size) throws IOException {
    byte[] ones = new byte[size];
    Arrays.fill(ones, (byte) 1);
    MemoryFile device = new MemoryFile("device");
    device.write(ByteBuffer.wrap(ones), 0);
    return device;
  }

  private static byte[] content(MemoryFile device) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) device.size());
    device.readFully(buffer, 0);
    return buffer.array();
  }

  private static int zeroes(byte[] bytes) {
    int count = 0;
    for (byte b : bytes) {
      count += b == 0 ? 1 : 0;
    }
    return count;
  }
}
