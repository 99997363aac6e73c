package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A second image that takes over when the first has no space. */
final class StandbyDeviceTest {
  private static final int SIZE = 4 << 20;

  private final MemoryFile file = new MemoryFile("standby.qcow2");
  private BlockDevice first;
  private BlockDevice second;
  private String trouble = "";
  private StandbyDevice device;

  @BeforeEach
  void open() throws Exception {
    first = Images.ram(SIZE);
    Images.create(file, CreateOptions.of("qcow2", SIZE)).close();
    second =
        Images.open(
            file,
            OpenOptions.readWrite().withFormat("qcow2").withBacking(new NamelessDevice(first)));
    device = new StandbyDevice(new Full(first), second, false);
  }

  @AfterEach
  void close() throws Exception {
    second.close();
    first.close();
  }

  /** Fails as the host does, after some of a write was done. */
  private final class Full extends ForwardingDevice {
    Full(BlockDevice device) {
      super(device);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (!trouble.isEmpty()) {
        src.position(src.position() + 512);
        throw new IOException(trouble);
      }
      super.write(src, offset);
    }
  }

  @Test
  void untilTheFirstIsFullTheSecondIsUntouched() throws Exception {
    Bytes.write(device, 0, 1, 4096);
    assertFalse(device.isInUse());
    assertEquals(0, device.redirectedSectors());
    assertArrayEquals(Bytes.of(1, 4096), Bytes.read(first, 0, 4096));
    assertEquals(1, second.extentAt(0, SIZE).depth());
  }

  @Test
  void theWriteThatFoundNoSpaceIsDoneOnTheSecond() throws Exception {
    Bytes.write(device, 0, 1, 8192);
    trouble = "/vhd: No space left on device";
    Bytes.write(device, 4096, 2, 4096);
    assertTrue(device.isInUse());
    assertEquals(8, device.redirectedSectors());
    assertArrayEquals(Bytes.of(1, 4096), Bytes.read(device, 0, 4096));
    assertArrayEquals(Bytes.of(2, 4096), Bytes.read(device, 4096, 4096));
    assertArrayEquals(Bytes.of(1, 8192), Bytes.read(first, 0, 8192));
  }

  @Test
  void fromThenOnTheFirstIsLeftAlone() throws Exception {
    trouble = "No space left on device";
    Bytes.write(device, 0, 2, 512);
    trouble = "";
    Bytes.write(device, 1 << 20, 3, 512);
    device.writeZeroes(2 << 20, 512);
    device.flush();
    assertArrayEquals(new byte[512], Bytes.read(first, 1 << 20, 512));
    assertArrayEquals(Bytes.of(3, 512), Bytes.read(device, 1 << 20, 512));
    assertEquals(3, device.redirectedSectors());
  }

  @Test
  void anyOtherErrorIsTheGuests() {
    trouble = "Input/output error";
    assertThrows(IOException.class, () -> Bytes.write(device, 0, 2, 512));
    assertFalse(device.isInUse());
  }
}
