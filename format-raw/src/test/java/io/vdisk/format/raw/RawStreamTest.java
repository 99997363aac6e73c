package io.vdisk.format.raw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.StreamCopy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** The bytes of a disk in one pass, to and from devices. */
class RawStreamTest {
  private static final int M = 1 << 20;

  private final byte[] disk = new byte[3 * M + 700];

  RawStreamTest() {
    byte[] noise = new byte[M];
    new Random(1).nextBytes(noise);
    System.arraycopy(noise, 0, disk, M / 2, noise.length);
    System.arraycopy(noise, 0, disk, disk.length - 100, 100);
  }

  private SequentialSource source() throws IOException {
    return Images.openStream(
        new ByteArrayInputStream(disk), OpenOptions.readOnly().withFormat("raw"));
  }

  private static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) device.size());
    device.read(bytes, 0);
    return bytes.array();
  }

  @Test
  void streamGoesToADeviceOverWhatThatHeld() throws IOException {
    try (BlockDevice device = Images.ram(disk.length);
        SequentialSource source = source()) {
      byte[] before = new byte[disk.length];
      Arrays.fill(before, (byte) 9);
      device.write(ByteBuffer.wrap(before), 0);
      long came = StreamCopy.run(source, SequentialTarget.of(device, false), Progress.NONE);
      assertEquals(disk.length, came);
      assertArrayEquals(disk, content(device));
    }
  }

  @Test
  void deviceGoesToAStream() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (BlockDevice device = Images.ram(disk.length);
        SequentialTarget target = Images.createStream(out, CreateOptions.of("raw", disk.length))) {
      device.write(ByteBuffer.wrap(disk), 0);
      long unused = StreamCopy.run(SequentialSource.of(device), target, Progress.NONE);
    }
    assertArrayEquals(disk, out.toByteArray());
  }

  @Test
  void whatIsLeftOutIsZero() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SequentialTarget target = Images.createStream(out, CreateOptions.of("raw", M))) {
      target.write(ByteBuffer.wrap(new byte[] {1}), 200_000);
      assertThrows(IllegalArgumentException.class, () -> target.write(ByteBuffer.allocate(1), 0));
      assertThrows(
          IllegalArgumentException.class, () -> target.write(ByteBuffer.allocate(2), M - 1));
      target.finish();
    }
    byte[] expected = new byte[M];
    expected[200_000] = 1;
    assertArrayEquals(expected, out.toByteArray());
  }

  @Test
  void progressMayEndIt() throws IOException {
    try (BlockDevice device = Images.ram(disk.length);
        SequentialSource source = source()) {
      assertThrows(
          CancellationException.class,
          () ->
              StreamCopy.run(source, SequentialTarget.of(device, true), (done, total) -> done < M));
    }
  }

  @Test
  void targetThatCannotGrowIsRefused() throws IOException {
    try (BlockDevice device = Images.ram(M)) {
      assertThrows(IOException.class, () -> SequentialTarget.growing(device).close());
    }
  }
}
