package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A device that was opened for reading. */
abstract class ReadOnlyCases extends DeviceCases {
  ReadOnlyCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void everyChangeIsRefusedAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 1);
    BlockDevice device = reopen(holding(content), false);
    Class<NonWritableChannelException> refusal = NonWritableChannelException.class;
    assertThrows(refusal, () -> device.write(ByteBuffer.allocate(1), 0), "write");
    assertThrows(refusal, () -> device.writeZeroes(0, unit()), "writeZeroes");
    assertThrows(refusal, () -> device.discard(0, unit()), "discard");
    assertHolds(content, device);
    assertHolds(content, reopen(device, true));
  }

  @Test
  void itCannotBeWrittenAndSaysSo() throws IOException {
    Set<Capability> changes =
        EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.FAST_ZERO);
    BlockDevice device = reopen(empty(), false);
    changes.retainAll(device.capabilities());
    assertEquals(Set.of(), changes);
  }

  @Test
  void aFlushDoesNothing() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = reopen(holding(content), false);
    device.flush();
    assertHolds(content, device);
  }

  @Test
  void extentsAreThoseOfTheWritableDevice() throws IOException {
    BlockDevice device = empty();
    write(device, bytes(unit(), 3), unit());
    device.writeZeroes(3L * unit(), unit());
    BlockDevice again = reopen(device, false);
    ExtentCases.assertCovered(again, 0, size());
    byte[] expected = new byte[size()];
    System.arraycopy(bytes(unit(), 3), 0, expected, unit(), unit());
    assertHolds(expected, again);
  }
}
