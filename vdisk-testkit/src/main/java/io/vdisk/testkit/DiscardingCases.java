package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What may become of discarded bytes, and that nothing becomes of others. */
abstract class DiscardingCases extends DeviceCases {
  DiscardingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void discardedUnitsReadAsBeforeOrAsZero() throws IOException {
    assertDiscards(unit(), 2 * unit());
  }

  @Test
  void aDiscardedPartOfAUnitLeavesItsNeighbours() throws IOException {
    assertDiscards(unit() + 100, 333);
  }

  @Test
  void anUnalignedDiscardOverSeveralUnitsLeavesItsNeighbours() throws IOException {
    assertDiscards(unit() - 7, 2 * unit() + 19);
  }

  @Test
  void theLastPartOfAUnitCanBeDiscarded() throws IOException {
    assertDiscards(4 * unit(), contract.sizeStep());
  }

  @Test
  void theWholeDiskCanBeDiscarded() throws IOException {
    assertDiscards(0, size());
  }

  @Test
  void whatWasNeverWrittenStaysZero() throws IOException {
    BlockDevice device = empty();
    device.discard(unit() - 7, unit() + 19);
    device.discard(0, size());
    assertHolds(new byte[size()], device);
  }

  @Test
  void discardingNothingIsAllowedAtEveryOffsetAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 1);
    BlockDevice device = holding(content);
    for (int offset : new int[] {0, 1, unit() - 1, unit(), size() - 1, size()}) {
      device.discard(offset, 0);
    }
    assertHolds(content, device);
  }

  @Test
  void aWriteAfterADiscardHoldsAndTheRestIsAsBeforeOrZero() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = holding(content);
    device.discard(0, size());
    byte[] fresh = bytes(500, 3);
    write(device, fresh, unit() + 77);
    byte[] actual = readAll(device);
    int end = unit() + 77 + fresh.length;
    assertSame(fresh, Arrays.copyOfRange(actual, unit() + 77, end), unit() + 77);
    System.arraycopy(fresh, 0, content, unit() + 77, fresh.length);
    assertOldOrZero(content, actual, 0);
  }

  @Test
  void aRewrittenDiskHoldsWhatWasWrittenLast() throws IOException {
    BlockDevice device = holding(bytes(size(), 4));
    byte[] last = bytes(size(), 5);
    device.discard(0, size());
    device.flush();
    write(device, last, 0);
    assertHolds(last, device);
    assertHolds(last, reopen(device, false));
  }

  private void assertDiscards(int offset, int length) throws IOException {
    byte[] old = bytes(size(), 6);
    BlockDevice device = holding(old);
    device.discard(offset, length);
    byte[] actual = readAll(device);
    assertOldOrZero(old, actual, 0);
    assertSame(Arrays.copyOf(old, offset), Arrays.copyOf(actual, offset), 0);
    int end = offset + length;
    assertSame(
        Arrays.copyOfRange(old, end, old.length), Arrays.copyOfRange(actual, end, old.length), end);
    assertHolds(actual, device);
    assertHolds(actual, reopen(device, false));
  }
}
