package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The log of changed blocks, byte for byte. */
final class ChangedBlockLogTest {
  private static final int BLOCK = 65_536;
  private static final int HEADER = 48;

  private final List<String> events = new ArrayList<>();

  /** A log as cbt-util creates it, or as it was left: ids, flag, size, bits. */
  private static byte[] log(int consistent, long size, byte... bitmap) {
    ByteBuffer log = ByteBuffer.allocate(HEADER + bitmap.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 32; i++) {
      log.put((byte) (0x40 + i));
    }
    log.putInt(consistent).putInt(0).putLong(size).put(bitmap);
    return log.array();
  }

  private static MemoryFile file(byte[] content) throws IOException {
    return new MemoryFile("cbt.log", content);
  }

  private static byte[] content(HostFile file) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  /** Tells the order of what is done to a file. */
  private final class Watched extends ForwardingFile {
    Watched(HostFile file) {
      super(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      events.add("write " + src.remaining() + " at " + offset);
      super.write(src, offset);
    }

    @Override
    public void flush() throws IOException {
      events.add("flush");
      super.flush();
    }

    @Override
    public void close() {}
  }

  @Test
  void aBlockIsOneBitTheLowestOfAByteFirst() throws Exception {
    MemoryFile file = file(log(0, 20 * BLOCK, new byte[3]));
    ChangedBlockLog log = ChangedBlockLog.open(file, 20 * BLOCK);
    log.mark(0, 1);
    log.mark(3 * BLOCK - 1, 2);
    log.mark(19 * BLOCK, BLOCK);
    assertArrayEquals(log(0, 20 * BLOCK, (byte) 0b1101, (byte) 0, (byte) 0b1000), content(file));
  }

  @Test
  void bitsThatWereSetStay() throws Exception {
    MemoryFile file = file(log(0, 20 * BLOCK, (byte) 0x81, (byte) 0x10, (byte) 0x02));
    ChangedBlockLog log = ChangedBlockLog.open(file, 20 * BLOCK);
    log.mark(BLOCK, 1);
    log.mark(9 * BLOCK, 0);
    assertArrayEquals(log(0, 20 * BLOCK, (byte) 0x83, (byte) 0x10, (byte) 0x02), content(file));
  }

  @Test
  void aBitIsWrittenOnceAndBeforeTheBlock() throws Exception {
    HostFile file = new Watched(file(log(0, 64 * BLOCK, new byte[8])));
    try (BlockDevice ram = Images.ram(64 * BLOCK)) {
      BlockDevice device =
          new LoggedDevice(
              new ForwardingDevice(ram) {
                @Override
                public void write(ByteBuffer src, long offset) throws IOException {
                  events.add("data");
                  super.write(src, offset);
                }
              },
              ChangedBlockLog.open(file, 64 * BLOCK));
      Bytes.write(device, 5 * BLOCK, 1, 512);
      Bytes.write(device, 5 * BLOCK + 512, 1, 512);
      device.flush();
      assertEquals(List.of("write 8 at 48", "data", "data", "flush"), events);
    }
  }

  @Test
  void zeroingAndDiscardingAreChanges() throws Exception {
    MemoryFile file = file(log(0, 16 * BLOCK, new byte[2]));
    try (BlockDevice ram = Images.ram(16 * BLOCK)) {
      BlockDevice device = new LoggedDevice(ram, ChangedBlockLog.open(file, 16 * BLOCK));
      device.writeZeroes(BLOCK, 10);
      device.discard(8 * BLOCK, 8 * BLOCK);
      Bytes.read(device, 0, 512);
      assertArrayEquals(log(0, 16 * BLOCK, (byte) 2, (byte) 0xff), content(file));
      assertThrows(IndexOutOfBoundsException.class, () -> device.writeZeroes(16 * BLOCK - 1, 2));
    }
  }

  @Test
  void itIsInconsistentDurablyWhileItIsOpenAndConsistentAfterACleanEnd() throws Exception {
    MemoryFile memory = file(log(1, BLOCK, new byte[1]));
    ChangedBlockLog log = ChangedBlockLog.open(new Watched(memory), BLOCK);
    assertEquals(List.of("write 4 at 32", "flush"), events);
    assertArrayEquals(log(0, BLOCK, new byte[1]), content(memory));
    log.mark(0, BLOCK);
    log.close(true);
    assertArrayEquals(log(1, BLOCK, new byte[] {1}), content(memory));
    assertEquals(List.of("write 1 at 48", "flush", "write 4 at 32", "flush"), events.subList(2, 6));
  }

  @Test
  void itStaysInconsistentAfterAnErrorOrIfItWasSo() throws Exception {
    MemoryFile memory = file(log(1, BLOCK, new byte[1]));
    ChangedBlockLog.open(new Watched(memory), BLOCK).close(false);
    assertArrayEquals(log(0, BLOCK, new byte[1]), content(memory));
    ChangedBlockLog.open(new Watched(memory), BLOCK).close(true);
    assertArrayEquals(log(0, BLOCK, new byte[1]), content(memory));
  }

  @Test
  void aChangeThatCannotBeRecordedFails() throws Exception {
    HostFile file =
        new ForwardingFile(file(log(0, BLOCK, new byte[1]))) {
          @Override
          public void write(ByteBuffer src, long offset) throws IOException {
            throw new IOException("the disk of the log is gone");
          }
        };
    try (BlockDevice ram = Images.ram(BLOCK)) {
      BlockDevice device = new LoggedDevice(ram, ChangedBlockLog.open(file, BLOCK));
      assertThrows(IOException.class, () -> Bytes.write(device, 0, 1, 512));
      assertArrayEquals(new byte[512], Bytes.read(ram, 0, 512));
    }
  }

  @Test
  void anyRangesSetExactlyTheirBits() throws Exception {
    long seed = 20261126;
    Random random = new Random(seed);
    long size = 3000L * BLOCK + 512;
    MemoryFile file = file(log(0, size, new byte[376]));
    ChangedBlockLog log = ChangedBlockLog.open(file, size);
    BitSet expected = new BitSet();
    for (int i = 0; i < 300; i++) {
      long offset = (long) (random.nextDouble() * size);
      long length = (long) ((size - offset) * Math.pow(random.nextDouble(), 8));
      log.mark(offset, length);
      if (length > 0) {
        expected.set((int) (offset / BLOCK), (int) ((offset + length - 1) / BLOCK) + 1);
      }
      byte[] bits = Arrays.copyOfRange(content(file), HEADER, HEADER + 376);
      assertEquals(expected, BitSet.valueOf(bits), "seed " + seed + ", step " + i);
    }
  }

  @Test
  void aWholeLargeDiskIsMarkedInPieces() throws Exception {
    long size = 2L << 40;
    int bitmap = (int) (size / BLOCK / 8);
    MemoryFile file = file(log(0, size, new byte[bitmap]));
    ChangedBlockLog.open(file, size).mark(0, size);
    byte[] bits = Arrays.copyOfRange(content(file), HEADER, HEADER + bitmap);
    assertArrayEquals(Bytes.of(0xff, bitmap), bits);
  }

  @Test
  void itGrowsWithTheDisk() throws Exception {
    MemoryFile file = file(log(0, 4 * BLOCK, (byte) 0));
    ChangedBlockLog log = ChangedBlockLog.open(file, 4 * BLOCK);
    log.mark(3 * BLOCK, 1);
    log.grow(100 * BLOCK);
    log.mark(99 * BLOCK, 1);
    byte[] bitmap = new byte[13];
    bitmap[0] = 8;
    bitmap[12] = 8;
    assertArrayEquals(log(0, 100 * BLOCK, bitmap), content(file));
  }

  @Test
  void threadsDoNotLoseEachOthersBits() throws Exception {
    long size = 4096L * BLOCK;
    MemoryFile file = file(log(0, size, new byte[512]));
    ChangedBlockLog log = ChangedBlockLog.open(file, size);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int first = i;
      Thread thread =
          new Thread(
              () -> {
                try {
                  for (int block = first; block < 4096; block += 4) {
                    log.mark((long) block * BLOCK, 1);
                  }
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertArrayEquals(log(0, size, Bytes.of(0xff, 512)), content(file));
  }

  @Test
  void aLogOfAnotherDiskIsRefused() throws Exception {
    refused(log(0, BLOCK, new byte[1]), 2 * BLOCK, "it is of a disk of 65536 bytes");
    refused(new byte[47], BLOCK, "less than the header's 48");
    refused(log(0, 9 * BLOCK, new byte[1]), 9 * BLOCK, "its bitmap has 2 bytes");
    refused(log(0, 1L << 60, new byte[1]), 1L << 60, "its bitmap has");
    refused(log(0, -1, new byte[1]), BLOCK, "of a disk of -1 bytes");
  }

  private static void refused(byte[] content, long diskSize, String trouble) {
    DiskException e =
        assertThrows(DiskException.class, () -> ChangedBlockLog.open(file(content), diskSize));
    assertEquals(Errno.EINVAL.number(), e.number());
    assertTrue(e.getMessage().startsWith("cbt.log, a log of changed blocks: "), e.getMessage());
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
  }
}
