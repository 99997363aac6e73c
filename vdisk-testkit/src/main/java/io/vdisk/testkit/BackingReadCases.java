package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What shows through from below. */
abstract class BackingReadCases extends BackingCases {
  private static final long SEED = 20_260_201;

  BackingReadCases(BackingContract contract) {
    super(contract);
  }

  @Test
  void anEmptyChildReadsAsItsBacking() throws IOException {
    assertHolds(below, child());
  }

  @Test
  void readsOfAnyOffsetAndLengthShowTheBacking() throws IOException {
    BlockDevice device = child();
    Random random = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      int offset = random.nextInt(size());
      int length = 1 + random.nextInt(Math.min(i % 2 == 0 ? 3000 : size(), size() - offset));
      byte[] expected = Arrays.copyOfRange(below, offset, offset + length);
      assertSame(expected, read(device, offset, length), offset);
    }
  }

  @Test
  void aShorterBackingReadsAsZeroBeyondItsEnd() throws IOException {
    for (int length : new int[] {0, 1, unit() - 1, unit(), 2 * unit() + 700, size() - 1}) {
      BlockDevice device = child(size(), new ArrayDisk(Arrays.copyOf(below, length)));
      assertHolds(over(length, size()), device);
      if (length > 0) {
        byte[] around = Arrays.copyOfRange(over(length, size()), length - 1, length + 1);
        assertSame(around, read(device, length - 1, 2), length - 1);
      }
    }
  }

  @Test
  void aLongerBackingIsCutOff() throws IOException {
    for (int size : new int[] {contract.sizeStep(), unit(), 2 * unit() + contract.sizeStep()}) {
      assertHolds(Arrays.copyOf(below, size), child(size, backing()));
    }
  }

  @Test
  void oneReadSpansChildAndBacking() throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    write(device, expected, bytes(unit(), 1), unit());
    write(device, expected, bytes(10, 2), 3 * unit() + 20);
    assertHolds(expected, device);
  }

  @Test
  void theBackingShowsThroughAfterReopening() throws IOException {
    byte[] expected = below.clone();
    BlockDevice device = child();
    write(device, expected, bytes(unit() / 2, 3), unit() / 4);
    assertHolds(expected, reopen(device, backing()));
  }

  @Test
  void itSaysThatItHasABacking() throws IOException {
    assertTrue(child().capabilities().contains(Capability.BACKING));
  }

  @Test
  void closingTheChildLeavesTheBackingOpen() throws IOException {
    BlockDevice device = child();
    write(device, bytes(10, 4), 5);
    device.close();
    assertHolds(below, backing());
  }

  @Test
  void twoChildrenOfOneBackingDoNotSeeEachOther() throws IOException {
    byte[] expected = below.clone();
    BlockDevice one = child();
    BlockDevice other = child();
    write(one, expected, bytes(2 * unit(), 5), 100);
    assertHolds(expected, one);
    assertHolds(below, other);
  }
}
