package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Zeroing and discarding above a backing device: old backing data never reappears. */
abstract class RevealingCases extends BackingCases {
  RevealingCases(BackingContract contract) {
    super(contract);
  }

  @Test
  void zeroedUnitsHideTheBacking() throws IOException {
    assertZeroes(unit(), 2 * unit());
  }

  @Test
  void aZeroedPartOfAUnitHidesTheBackingAndShowsItBeside() throws IOException {
    assertZeroes(unit() + 100, 333);
  }

  @Test
  void anUnalignedZeroedRangeHidesTheBackingAndShowsItBeside() throws IOException {
    assertZeroes(unit() - 7, 2 * unit() + 19);
  }

  @Test
  void aZeroedLastPartOfAUnitHidesTheBacking() throws IOException {
    assertZeroes(4 * unit(), contract.sizeStep());
  }

  @Test
  void aZeroedDiskHidesTheBacking() throws IOException {
    assertZeroes(0, size());
  }

  @Test
  void zeroesAcrossTheEndOfAShorterBackingHideIt() throws IOException {
    int end = 2 * unit() + 700;
    byte[] expected = over(end, size());
    BlockDevice shorter = new ArrayDisk(Arrays.copyOf(below, end));
    BlockDevice device = child(size(), shorter);
    device.writeZeroes(unit() + 10, 2L * unit());
    Arrays.fill(expected, unit() + 10, 3 * unit() + 10, (byte) 0);
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, shorter));
  }

  @Test
  void aWriteIntoZeroedUnitsBringsUpNothing() throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    device.writeZeroes(unit(), 2L * unit());
    Arrays.fill(expected, unit(), 3 * unit(), (byte) 0);
    write(device, expected, bytes(100, 1), unit() + 77);
    write(device, expected, bytes(200, 2), 3 * unit() - 100);
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, backing()));
  }

  @Test
  void discardNeverRevealsTheBackingUnderData() throws IOException {
    for (int[] range : ranges()) {
      byte[] old = bytes(size(), 3);
      BlockDevice device = child();
      write(device, old, 0);
      device.discard(range[0], range[1]);
      assertDiscarded(old, device, range[0], range[1]);
    }
  }

  @Test
  void discardNeverRevealsTheBackingUnderZeroes() throws IOException {
    BlockDevice device = child();
    device.writeZeroes(0, size());
    device.discard(unit() - 7, 2L * unit());
    device.discard(0, size());
    assertHolds(new byte[size()], device);
    assertHolds(new byte[size()], reopen(device, backing()));
  }

  @Test
  void whatWasNeverWrittenReadsAsTheBackingOrAsZeroOnceItIsDiscarded() throws IOException {
    for (int[] range : ranges()) {
      BlockDevice device = child();
      device.discard(range[0], range[1]);
      assertDiscarded(below, device, range[0], range[1]);
    }
  }

  @Test
  void aWriteIntoDiscardedDataDoesNotRevealTheBackingBeside() throws IOException {
    byte[] old = bytes(size(), 4);
    BlockDevice device = child();
    write(device, old, 0);
    device.discard(0, size());
    write(device, old, bytes(100, 5), unit() + 77);
    byte[] actual = readAll(device);
    assertOldOrZero(old, actual, 0);
    assertHolds(actual, reopen(device, backing()));
  }

  @Test
  void discardingTwiceDoesNotRevealTheBacking() throws IOException {
    byte[] old = bytes(size(), 6);
    BlockDevice device = child();
    write(device, old, 0);
    device.discard(unit(), 2L * unit());
    device.flush();
    device.discard(unit(), 2L * unit());
    device.flush();
    assertDiscarded(old, device, unit(), 2 * unit());
  }

  private int[][] ranges() {
    return new int[][] {
      {unit(), 2 * unit()},
      {unit() + 100, 333},
      {unit() - 7, 2 * unit() + 19},
      {4 * unit(), contract.sizeStep()},
      {0, size()},
    };
  }

  private void assertDiscarded(byte[] old, BlockDevice device, int offset, int length)
      throws IOException {
    byte[] actual = readAll(device);
    assertOldOrZero(old, actual, 0);
    assertSame(Arrays.copyOf(old, offset), Arrays.copyOf(actual, offset), 0);
    int end = offset + length;
    assertSame(Arrays.copyOfRange(old, end, size()), Arrays.copyOfRange(actual, end, size()), end);
    assertHolds(actual, reopen(device, backing()));
  }

  private void assertZeroes(int offset, int length) throws IOException {
    byte[] expected = below.clone();
    Arrays.fill(expected, offset, offset + length, (byte) 0);
    BlockDevice untouched = child();
    untouched.writeZeroes(offset, length);
    assertHolds(expected, untouched);
    assertHolds(expected, reopen(untouched, backing()));

    byte[] written = bytes(size(), 7);
    BlockDevice device = child();
    write(device, written, 0);
    device.writeZeroes(offset, length);
    Arrays.fill(written, offset, offset + length, (byte) 0);
    assertHolds(written, device);
    assertHolds(written, reopen(device, backing()));
  }
}
