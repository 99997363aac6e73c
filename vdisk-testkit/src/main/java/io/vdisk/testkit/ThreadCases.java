package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Many threads on one device, and interrupts. */
abstract class ThreadCases extends DeviceCases {
  private static final int SECTOR = 512;

  ThreadCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void anInterruptedThreadCanDoEverything() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    Thread.currentThread().interrupt();
    try {
      write(device, expected, bytes(2 * unit(), 1), unit() / 2);
      device.writeZeroes(unit(), 10);
      Arrays.fill(expected, unit(), unit() + 10, (byte) 0);
      device.flush();
      assertHolds(expected, device);
      ExtentCases.assertCovered(device, 0, size());
      assertTrue(Thread.currentThread().isInterrupted(), "the interrupt was lost");
    } finally {
      Thread.interrupted();
    }
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, false));
  }

  @Test
  void neighbouringSectorsOfOneUnitCanBeWrittenAtOnce() throws Exception {
    int rounds = 20;
    int sectors = Math.min(unit() / SECTOR, 64);
    int size = 4 * Math.max(unit(), SECTOR);
    for (int round = 0; round < rounds; round++) {
      byte[] expected = new byte[size];
      byte[] content = bytes(sectors * SECTOR, round);
      System.arraycopy(content, 0, expected, unit(), content.length);
      BlockDevice device = create(size);
      AtOnce.run(
          thread -> {
            for (int i = thread; i < sectors; i += AtOnce.THREADS) {
              byte[] sector = Arrays.copyOfRange(content, i * SECTOR, (i + 1) * SECTOR);
              write(device, sector, unit() + (long) i * SECTOR);
            }
          });
      assertHolds(expected, device);
      device.close();
    }
  }

  @Test
  void manyThreadsWriteTheirOwnPartsAndReadThemBack() throws Exception {
    BlockDevice device = empty();
    int part = size() / AtOnce.THREADS;
    byte[] expected = bytes(part * AtOnce.THREADS, 2);
    AtOnce.run(
        thread -> {
          int start = thread * part;
          for (int done = 0; done < part; done += 3001) {
            int from = start + done;
            byte[] piece = Arrays.copyOfRange(expected, from, Math.min(from + 3001, start + part));
            write(device, piece, from);
            assertSame(piece, read(device, from, piece.length), from);
            if (done % 7 == 0) {
              device.flush();
            }
          }
        });
    assertSame(expected, read(device, 0, expected.length), 0);
  }

  @Test
  void overlappingWritesLeaveEachSectorToOneOfThem() throws Exception {
    int length = 2 * unit() / SECTOR * SECTOR;
    for (int round = 0; round < 10; round++) {
      BlockDevice device = create(size());
      AtOnce.run(
          thread -> {
            byte[] mine = new byte[length];
            Arrays.fill(mine, (byte) (thread + 1));
            write(device, mine, 0);
          });
      byte[] actual = read(device, 0, length);
      for (int i = 0; i < length; i++) {
        byte first = actual[i - i % SECTOR];
        if (actual[i] != first || first < 1 || first > AtOnce.THREADS) {
          fail("the byte at " + i + " is " + actual[i] + " in a sector that begins with " + first);
        }
      }
      device.close();
    }
  }

  @Test
  void aRequestBesideACloseIsDoneOrRefused() throws Exception {
    for (int round = 0; round < 10; round++) {
      byte[] content = bytes(size(), round);
      BlockDevice device = holding(content);
      AtOnce.run(
          thread -> {
            if (thread == 0) {
              device.close();
              return;
            }
            try {
              while (true) {
                assertSame(content, readAll(device), 0);
              }
            } catch (ClosedChannelException e) {
              // As it should be: the only way out of the loop.
            }
          });
      assertHolds(content, reopen(device, false));
    }
  }
}
