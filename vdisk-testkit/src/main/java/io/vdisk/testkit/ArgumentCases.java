package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is refused, and what a device says of itself. */
abstract class ArgumentCases extends DeviceCases {
  ArgumentCases(BlockDeviceContract contract) {
    super(contract);
  }

  /** Ranges, as offset and length, that are not inside a disk of {@code size} bytes. */
  static long[][] outside(long size) {
    return new long[][] {
      {size, 1},
      {size - 1, 2},
      {0, size + 1},
      {size + 1, 0},
      {size + 1, 1},
      {-1, 0},
      {-1, 1},
      {-1, size},
      {Long.MIN_VALUE, 1},
      {Long.MAX_VALUE, 0},
      {Long.MAX_VALUE, 1},
      {size - 1, Long.MAX_VALUE},
      {Long.MAX_VALUE, Long.MAX_VALUE},
      {0, -1},
      {1, Long.MIN_VALUE},
      {size, -1},
    };
  }

  @Test
  void aReadOutsideTheDiskIsRefused() throws IOException {
    BlockDevice device = holding(bytes(size(), 1));
    for (long[] range : outside(size())) {
      if (range[1] >= 0 && range[1] <= size() + 1) {
        ByteBuffer dst = ByteBuffer.allocate((int) range[1]);
        assertRefused("read", range, () -> device.read(dst, range[0]));
        assertSame(new byte[dst.capacity()], dst.array(), 0);
      }
    }
  }

  @Test
  void aWriteOutsideTheDiskIsRefusedAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = holding(content);
    for (long[] range : outside(size())) {
      if (range[1] >= 0 && range[1] <= size() + 1) {
        ByteBuffer src = ByteBuffer.allocate((int) range[1]);
        assertRefused("write", range, () -> device.write(src, range[0]));
      }
    }
    assertHolds(content, device);
  }

  @Test
  void zeroingOutsideTheDiskIsRefusedAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 3);
    BlockDevice device = holding(content);
    for (long[] range : outside(size())) {
      assertRefused("writeZeroes", range, () -> device.writeZeroes(range[0], range[1]));
    }
    assertHolds(content, device);
  }

  @Test
  void discardingOutsideTheDiskIsRefusedAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 4);
    BlockDevice device = holding(content);
    for (long[] range : outside(size())) {
      assertRefused("discard", range, () -> device.discard(range[0], range[1]));
    }
    assertHolds(content, device);
  }

  @Test
  void anExtentOfNoBytesIsRefused() throws IOException {
    BlockDevice device = empty();
    for (long limit : new long[] {0, -1}) {
      RuntimeException refusal =
          assertThrows(RuntimeException.class, () -> device.extentAt(0, limit));
      assertTrue(
          refusal instanceof IllegalArgumentException
              || refusal instanceof IndexOutOfBoundsException,
          refusal.toString());
    }
  }

  @Test
  void aDiskOfNoBytesRefusesEveryByte() throws IOException {
    Optional<BlockDevice> made = ofNoBytes();
    if (made.isEmpty()) {
      return;
    }
    BlockDevice device = made.get();
    device.read(ByteBuffer.allocate(0), 0);
    device.write(ByteBuffer.allocate(0), 0);
    device.writeZeroes(0, 0);
    device.discard(0, 0);
    ByteBuffer one = ByteBuffer.allocate(1);
    assertThrows(IndexOutOfBoundsException.class, () -> device.read(one, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> device.write(one, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> device.extentAt(0, 1));
  }

  @Test
  void capabilitiesAreThoseOfTheFormatAndStayTheSame() throws IOException {
    BlockDevice device = empty();
    Set<Capability> before = device.capabilities();
    assertEquals(contract.capabilities(), before);
    write(device, bytes(unit(), 5), 9);
    device.discard(0, size());
    device.flush();
    assertEquals(before, device.capabilities());
  }

  @Test
  void whatTheImageSaysOfItselfAgreesWithTheDevice() throws IOException {
    BlockDevice device = empty();
    assertEquals(size(), device.size());
    assertEquals(size(), device.info().virtualSize());
    assertTrue(device.info().unit() >= 1, "unit " + device.info().unit());
    assertTrue(!device.info().format().isEmpty(), "a format without a name");
  }

  @Test
  void aFeatureThatNobodyKnowsIsEmpty() throws IOException {
    assertTrue(empty().feature(Runnable.class).isEmpty());
  }

  private static void assertRefused(
      String what, long[] range, org.junit.jupiter.api.function.Executable request) {
    assertThrows(
        IndexOutOfBoundsException.class, request, () -> what + " of " + Arrays.toString(range));
  }
}
