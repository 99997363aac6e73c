package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;

/** What a closed device still does. */
abstract class ClosingCases extends DeviceCases {
  ClosingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void aClosedDeviceRefusesEveryRequest() throws IOException {
    BlockDevice device = holding(bytes(size(), 1));
    device.close();
    assertClosed(device);
  }

  @Test
  void aClosedReadOnlyDeviceRefusesEveryRequest() throws IOException {
    BlockDevice device = reopen(holding(bytes(size(), 2)), false);
    device.close();
    assertClosed(device);
  }

  @Test
  void closingTwiceIsClosingOnce() throws IOException {
    byte[] content = bytes(size(), 3);
    BlockDevice device = holding(content);
    device.close();
    device.close();
    assertClosed(device);
    assertHolds(content, reopen(device, false));
  }

  private static void assertClosed(BlockDevice device) {
    ByteBuffer one = ByteBuffer.allocate(1);
    Class<ClosedChannelException> closed = ClosedChannelException.class;
    assertThrows(closed, () -> device.read(one, 0), "read");
    assertThrows(closed, () -> device.write(one, 0), "write");
    assertThrows(closed, () -> device.writeZeroes(0, 1), "writeZeroes");
    assertThrows(closed, () -> device.discard(0, 1), "discard");
    assertThrows(closed, device::flush, "flush");
    assertThrows(closed, () -> device.extentAt(0, 1), "extentAt");
  }
}
