package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Extents through a chain, and chains of three images. */
abstract class ChainCases extends BackingCases {
  ChainCases(BackingContract contract) {
    super(contract);
  }

  @Test
  void whatTheBackingHoldsHasDepthOne() throws IOException {
    BlockDevice device = child();
    ExtentCases.assertCovered(device, 0, size());
    assertDepth(1, device, 0, size());
  }

  @Test
  void whatTheChildHoldsHasDepthZero() throws IOException {
    BlockDevice device = child();
    write(device, bytes(unit(), 1), unit());
    ExtentCases.assertCovered(device, 0, size());
    assertDepth(1, device, 0, unit());
    assertDepth(0, device, unit(), unit());
    assertDepth(1, device, 2 * unit(), 2 * unit() + contract.sizeStep());
  }

  @Test
  void zeroedUnitsHaveDepthZero() throws IOException {
    BlockDevice device = child();
    device.writeZeroes(unit(), unit());
    assertDepth(0, device, unit(), unit());
  }

  @Test
  void beyondTheEndOfAShorterBackingNothingIsStored() throws IOException {
    int end = 2 * unit() + 700;
    BlockDevice device = child(size(), new ArrayDisk(Arrays.copyOf(below, end)));
    ExtentCases.assertCovered(device, 0, size());
    assertDepth(1, device, 0, end);
    for (Extent extent : device.extents(end, size() - end)) {
      assertTrue(extent.readsAsZero(), extent.toString());
    }
  }

  @Test
  void extentsEndWithTheChildOfALongerBacking() throws IOException {
    int size = 2 * unit() + contract.sizeStep();
    ExtentCases.assertCovered(child(size, backing()), 0, size);
  }

  @Test
  void theHighestImageThatHoldsAByteGivesIt() throws IOException {
    byte[] expected = below.clone();
    BlockDevice middle = child();
    write(middle, expected, bytes(2 * unit(), 2), unit());
    BlockDevice top = child(size(), middle);
    write(top, expected, bytes(2 * unit(), 3), 2 * unit());
    assertHolds(expected, top);
    assertDepth(2, top, 0, unit());
    assertDepth(1, top, unit(), unit());
    assertDepth(0, top, 2 * unit(), 2 * unit());
    assertDepth(2, top, 4 * unit(), contract.sizeStep());
  }

  @Test
  void zeroesInTheMiddleHideTheLowestImage() throws IOException {
    byte[] expected = below.clone();
    BlockDevice middle = child();
    middle.writeZeroes(unit() - 7, 2L * unit());
    Arrays.fill(expected, unit() - 7, 3 * unit() - 7, (byte) 0);
    BlockDevice top = child(size(), middle);
    assertHolds(expected, top);
    write(top, expected, bytes(20, 4), unit() - 17);
    assertHolds(expected, top);
  }

  @Test
  void aShortMiddleCutsTheLowestImageOff() throws IOException {
    int end = 2 * unit() + contract.sizeStep();
    byte[] expected = over(end, size());
    BlockDevice top = child(size(), child(end, backing()));
    assertHolds(expected, top);
    write(top, expected, bytes(20, 5), 3 * unit() + 7);
    assertHolds(expected, top);
  }

  @Test
  void aWriteIntoTheTopLeavesTheMiddle() throws IOException {
    byte[] expected = below.clone();
    BlockDevice middle = child();
    write(middle, expected, bytes(unit(), 6), unit());
    BlockDevice top = child(size(), middle);
    write(top, bytes(size(), 7), 0);
    top.discard(0, size());
    top.writeZeroes(0, size());
    top.flush();
    assertHolds(expected, middle);
    assertHolds(new byte[size()], top);
  }

  private static void assertDepth(int depth, BlockDevice device, int offset, int length) {
    for (Extent extent : device.extents(offset, length)) {
      assertEquals(depth, extent.depth(), extent.toString());
    }
  }
}
