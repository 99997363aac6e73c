package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a write into a child brings up from below, and what it does not. */
abstract class CopyOnWriteCases extends BackingCases {
  private static final long SEED = 20_260_202;

  CopyOnWriteCases(BackingContract contract) {
    super(contract);
  }

  @Test
  void aWriteIntoAUnitKeepsItsNeighbours() throws IOException {
    assertWrites(unit() + 333, 77);
  }

  @Test
  void aWriteAcrossUnitsKeepsItsNeighbours() throws IOException {
    assertWrites(unit() - 10, 2 * unit() + 20);
  }

  @Test
  void aWriteOfWholeUnitsKeepsItsNeighbours() throws IOException {
    assertWrites(unit(), 2 * unit());
  }

  @Test
  void theFirstByteCanBeWrittenAlone() throws IOException {
    assertWrites(0, 1);
  }

  @Test
  void theLastByteCanBeWrittenAlone() throws IOException {
    assertWrites(size() - 1, 1);
  }

  @Test
  void theWholeDiskCanBeWritten() throws IOException {
    assertWrites(0, size());
  }

  @Test
  void twoWritesIntoOneUnitKeepEachOther() throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    write(device, expected, bytes(50, 1), unit() + 10);
    write(device, expected, bytes(50, 2), unit() + 100);
    write(device, expected, bytes(60, 3), unit() + 40);
    assertHolds(expected, device);
  }

  @Test
  void aWriteAcrossTheEndOfAShorterBackingHasZeroesBehindIt() throws IOException {
    for (int end : new int[] {1, unit(), unit() + 700, 2 * unit() - 1}) {
      byte[] expected = over(end, size());
      BlockDevice device = child(size(), new ArrayDisk(Arrays.copyOf(below, end)));
      write(device, expected, bytes(Math.min(end, 20) + 20, 4), end - Math.min(end, 20));
      assertHolds(expected, device);
    }
  }

  @Test
  void aWriteBeyondTheEndOfAShorterBackingHasZeroesAroundIt() throws IOException {
    for (int end : new int[] {0, 1, unit(), unit() + 700}) {
      byte[] expected = over(end, size());
      BlockDevice device = child(size(), new ArrayDisk(Arrays.copyOf(below, end)));
      write(device, expected, bytes(30, 5), end + 40);
      write(device, expected, bytes(30, 6), 3 * unit() + 5);
      assertHolds(expected, device);
      assertHolds(expected, reopen(device, new ArrayDisk(Arrays.copyOf(below, end))));
    }
  }

  @Test
  void aWriteAtTheEndOfAChildOfALongerBackingBringsUpNothingFromBeyond() throws IOException {
    int size = 2 * unit() + contract.sizeStep();
    byte[] expected = Arrays.copyOf(below, size);
    BlockDevice device = child(size, backing());
    write(device, expected, bytes(1, 7), size - 1);
    assertHolds(expected, device);
  }

  @Test
  void laterWritesWinOverEarlierOnesAndOverTheBacking() throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    Random random = new Random(SEED);
    for (int i = 0; i < 100; i++) {
      int offset = random.nextInt(size());
      int length = 1 + random.nextInt(Math.min(size() - offset, i % 4 == 0 ? 2 * unit() : 3000));
      write(device, expected, bytes(length, i), offset);
    }
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, backing()));
  }

  @Test
  void sectorsOfOneUnitThatAreWrittenAtOnceBringItUpTogether() throws Exception {
    int sector = 512;
    for (int round = 0; round < 20; round++) {
      byte[] expected = below.clone();
      BlockDevice device = child();
      int from = round % 2 * unit();
      byte[] content = bytes(unit(), 100 + round);
      for (int at = 0; at + sector <= unit(); at += 2 * sector) {
        System.arraycopy(content, at, expected, from + at, sector);
      }
      AtOnce.run(
          thread -> {
            int step = 2 * sector * AtOnce.THREADS;
            for (int at = 2 * sector * thread; at + sector <= unit(); at += step) {
              write(device, Arrays.copyOfRange(content, at, at + sector), from + at);
            }
          });
      assertHolds(expected, device);
      device.close();
    }
  }

  private void assertWrites(int offset, int length) throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    write(device, expected, bytes(length, 8), offset);
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, backing()));
  }
}
