package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What {@code writeZeroes} makes zero, and what it leaves. */
abstract class ZeroingCases extends DeviceCases {
  ZeroingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void wholeUnitsOfDataBecomeZero() throws IOException {
    assertZeroes(unit(), 2 * unit());
  }

  @Test
  void aPartOfAUnitBecomesZeroAndItsNeighboursStay() throws IOException {
    assertZeroes(unit() + 100, 333);
  }

  @Test
  void anUnalignedRangeOverSeveralUnitsBecomesZeroAndItsNeighboursStay() throws IOException {
    assertZeroes(unit() - 7, 2 * unit() + 19);
  }

  @Test
  void theFirstByteCanBeZeroedAlone() throws IOException {
    assertZeroes(0, 1);
  }

  @Test
  void theLastByteCanBeZeroedAlone() throws IOException {
    assertZeroes(size() - 1, 1);
  }

  @Test
  void theLastPartOfAUnitBecomesZero() throws IOException {
    assertZeroes(4 * unit(), contract.sizeStep());
  }

  @Test
  void theWholeDiskBecomesZero() throws IOException {
    assertZeroes(0, size());
  }

  @Test
  void whatWasNeverWrittenStaysZero() throws IOException {
    BlockDevice device = empty();
    device.writeZeroes(unit() - 7, unit() + 19);
    device.writeZeroes(0, size());
    assertHolds(new byte[size()], device);
  }

  @Test
  void zeroingTwiceIsZeroingOnce() throws IOException {
    BlockDevice device = holding(bytes(size(), 1));
    device.writeZeroes(0, size());
    device.writeZeroes(0, size());
    assertHolds(new byte[size()], device);
  }

  @Test
  void zeroingNothingIsAllowedAtEveryOffsetAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = holding(content);
    for (int offset : new int[] {0, 1, unit() - 1, unit(), size() - 1, size()}) {
      device.writeZeroes(offset, 0);
    }
    assertHolds(content, device);
  }

  @Test
  void aWriteIntoZeroedUnitsLeavesTheRestZero() throws IOException {
    byte[] expected = bytes(size(), 3);
    BlockDevice device = holding(expected.clone());
    device.writeZeroes(unit(), 2L * unit());
    Arrays.fill(expected, unit(), 3 * unit(), (byte) 0);
    write(device, expected, bytes(100, 4), unit() + 77);
    write(device, expected, bytes(200, 5), 3 * unit() - 100);
    assertHolds(expected, device);
  }

  @Test
  void zeroesAreStillThereAfterReopening() throws IOException {
    byte[] expected = bytes(size(), 6);
    BlockDevice device = holding(expected.clone());
    device.writeZeroes(unit() / 2, 2L * unit());
    Arrays.fill(expected, unit() / 2, unit() / 2 + 2 * unit(), (byte) 0);
    assertHolds(expected, reopen(device, false));
  }

  @Test
  void wholeUnitsAreKnownToBeZeroWhereThatIsFast() throws IOException {
    BlockDevice device = holding(bytes(size(), 7));
    device.writeZeroes(unit(), 2L * unit());
    if (device.capabilities().contains(Capability.FAST_ZERO)) {
      for (Extent extent : device.extents(unit(), 2L * unit())) {
        assertTrue(extent.readsAsZero(), extent.toString());
      }
    }
  }

  private void assertZeroes(int offset, int length) throws IOException {
    byte[] expected = bytes(size(), 8);
    BlockDevice device = holding(expected.clone());
    device.writeZeroes(offset, length);
    Arrays.fill(expected, offset, offset + length, (byte) 0);
    assertHolds(expected, device);
  }
}
