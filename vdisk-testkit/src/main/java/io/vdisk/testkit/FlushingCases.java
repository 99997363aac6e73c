package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is still there after a flush, after closing, and after opening again. */
abstract class FlushingCases extends DeviceCases {
  FlushingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void anEmptyDiskIsStillEmptyAfterReopening() throws IOException {
    assertHolds(new byte[size()], reopen(empty(), true));
  }

  @Test
  void whatWasFlushedIsThereAfterReopening() throws IOException {
    byte[] content = bytes(size(), 1);
    BlockDevice device = holding(content);
    device.flush();
    assertHolds(content, reopen(device, false));
  }

  @Test
  void closingKeepsWhatWasNeverFlushed() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(unit() + 21, 2), unit() - 11);
    assertHolds(expected, reopen(device, false));
  }

  @Test
  void aFlushChangesNothing() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    device.flush();
    write(device, expected, bytes(unit(), 3), 17);
    device.flush();
    device.flush();
    assertHolds(expected, device);
  }

  @Test
  void writingGoesOnAfterAFlush() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    for (int i = 0; i < 5; i++) {
      write(device, expected, bytes(unit() / 2 + 9, i), i * (unit() - 3) / 2);
      device.flush();
    }
    assertHolds(expected, device);
    assertHolds(expected, reopen(device, false));
  }

  @Test
  void aDiskCanBeWrittenOnAfterReopening() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    for (int i = 0; i < 4; i++) {
      write(device, expected, bytes(unit(), 10 + i), i * unit() / 2 + 100);
      device.writeZeroes(i * 100L, 50);
      Arrays.fill(expected, i * 100, i * 100 + 50, (byte) 0);
      device = reopen(device, true);
    }
    assertHolds(expected, device);
  }

  @Test
  void reopeningFindsTheSameSizeUnitAndFormat() throws IOException {
    BlockDevice device = holding(bytes(size(), 4));
    ImageInfo before = device.info();
    assertEquals(size(), before.virtualSize());
    BlockDevice again = reopen(device, false);
    assertEquals(size(), again.size());
    assertEquals(before.virtualSize(), again.info().virtualSize());
    assertEquals(before.unit(), again.info().unit());
    assertEquals(before.format(), again.info().format());
    assertEquals(before.geometry(), again.info().geometry());
  }

  @Test
  void aDiskOfNoBytesCanBeReopened() throws IOException {
    Optional<BlockDevice> made = ofNoBytes();
    if (made.isPresent()) {
      assertEquals(0, made.get().size());
      made.get().flush();
      assertEquals(0, reopen(made.get(), true).size());
    }
  }
}
