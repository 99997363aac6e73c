package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class RamTest {
  private static final byte[] BYTES = {1, 2, 3, 4, 5};

  @Test
  void readsAsZeroUntilItIsWritten() throws IOException {
    try (BlockDevice ram = Images.ram(10_000)) {
      assertArrayEquals(new byte[10_000], read(ram, 0, 10_000));
      ram.write(ByteBuffer.wrap(BYTES), 9_995);
      assertArrayEquals(BYTES, read(ram, 9_995, 5));
      ram.flush();
      ram.writeZeroes(9_996, 3);
      assertArrayEquals(new byte[] {1, 0, 0, 0, 5}, read(ram, 9_995, 5));
    }
  }

  @Test
  void sizeIsFixed() throws IOException {
    try (BlockDevice ram = Images.ram(4096)) {
      assertEquals(4096, ram.size());
      assertEquals("ram", ram.info().format());
      assertThrows(IndexOutOfBoundsException.class, () -> ram.write(ByteBuffer.wrap(BYTES), 4092));
      assertEquals(4096, ram.size());
    }
  }

  /** Guards: a disk much larger than the heap costs only what is written. */
  @Test
  void whatIsNotWrittenTakesNoMemory() throws IOException {
    long size = 1L << 40;
    try (BlockDevice ram = Images.ram(size)) {
      assertEquals(
          EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.FAST_ZERO),
          ram.capabilities());
      for (long offset = 0; offset < size; offset += size / 64) {
        ram.write(ByteBuffer.wrap(BYTES), offset);
      }
      assertEquals(Extent.Kind.DATA, ram.extentAt(0, size).kind());
      ram.discard(0, size);
      Extent all = ram.extentAt(0, size);
      assertEquals(Extent.Kind.ZERO, all.kind());
      assertEquals(size, all.length());
    }
    assertThrows(IOException.class, () -> Images.ram(size + 1));
    assertThrows(IllegalArgumentException.class, () -> Images.ram(-1));
  }

  @Test
  void contentGoesWithTheDevice() throws IOException {
    BlockDevice ram = Images.ram(4096);
    ram.write(ByteBuffer.wrap(BYTES), 0);
    ram.close();
    ram.close();
    assertThrows(ClosedChannelException.class, () -> read(ram, 0, 5));
    try (BlockDevice another = Images.ram(4096)) {
      assertArrayEquals(new byte[5], read(another, 0, 5));
    }
  }

  private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }
}
