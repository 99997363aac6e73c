package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An image on a block device, which cannot grow and holds anything. */
class VhdxFullDeviceTest {
  private static final int MIB = 1 << 20;
  private static final int ROOM = 3;

  /** Header section, log, metadata and table, and room for three blocks. */
  private static final int SIZE = (4 + ROOM) * MIB;

  private HostFile device = new MemoryFile("device");

  /** A file of a fixed size. */
  private static final class Fixed extends ForwardingFile {
    Fixed(HostFile file) {
      super(file);
    }

    @Override
    public long capacity() throws IOException {
      return size();
    }

    @Override
    public void resize(long size) throws IOException {
      throw new IOException("a device has no other size");
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (offset + src.remaining() > size()) {
        throw new IOException("past the end of the device");
      }
      super.write(src, offset);
    }

    @Override
    public boolean zero(long offset, long length, boolean keepSpace) {
      return false;
    }
  }

  @BeforeEach
  void fillDevice() throws IOException {
    byte[] noise = new byte[SIZE];
    new Random(1).nextBytes(noise);
    device = new Fixed(new MemoryFile("device", noise));
  }

  private void create(CreateOptions options) throws IOException {
    CreateSession.create(
        device, options.withFormats(VhdxSubject.FORMATS).withOption("block_size", "1048576"));
  }

  private BlockDevice open() throws IOException {
    return Images.open(device, OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS));
  }

  @Test
  void spaceOfZeroedBlocksIsUsedAgain() throws IOException {
    create(CreateOptions.of("vhdx", 8L * MIB));
    byte[] model = new byte[8 * MIB];
    try (BlockDevice disk = open()) {
      assertArrayEquals(model, Disks.read(disk));
      for (int block = 0; block < ROOM; block++) {
        disk.write(ByteBuffer.wrap(new byte[] {7}), block * MIB + 1000L);
        model[block * MIB + 1000] = 7;
      }
      assertThrows(IOException.class, () -> disk.write(ByteBuffer.wrap(new byte[] {7}), 7L * MIB));
      disk.writeZeroes(0, 2 * MIB);
      Arrays.fill(model, 0, 2 * MIB, (byte) 0);
      disk.write(ByteBuffer.wrap(new byte[] {9}), 7L * MIB + 5);
      model[7 * MIB + 5] = 9;
      assertArrayEquals(model, Disks.read(disk));
    }
    try (BlockDevice disk = open()) {
      assertArrayEquals(model, Disks.read(disk));
      disk.write(ByteBuffer.wrap(new byte[] {3}), 6L * MIB);
      model[6 * MIB] = 3;
      assertThrows(IOException.class, () -> disk.write(ByteBuffer.wrap(new byte[] {3}), 5L * MIB));
      assertArrayEquals(model, Disks.read(disk));
      assertEquals(
          java.util.List.of(),
          disk.feature(Checking.class).orElseThrow().check((d, t) -> true).findings());
    }
  }

  @Test
  void childsBitmapBlockIsZeroWhateverTheDeviceHeld() throws IOException {
    create(
        CreateOptions.of("vhdx", 8L * MIB)
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    BlockDevice parent = Images.ram(8 * MIB);
    byte[] model = new byte[8 * MIB];
    new Random(2).nextBytes(model);
    parent.write(ByteBuffer.wrap(model), 0);
    OpenOptions options =
        OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(parent);
    for (int turn = 0; turn < 2; turn++) {
      try (BlockDevice disk = Images.open(device, options)) {
        disk.write(ByteBuffer.wrap(new byte[] {7}), turn * MIB + 1000L);
        model[turn * MIB + 1000] = 7;
        assertArrayEquals(model, Disks.read(disk));
      }
    }
    try (BlockDevice disk = Images.open(device, options)) {
      assertArrayEquals(model, Disks.read(disk));
    }
  }

  @Test
  void flattenedChildShowsNothingThatTheDeviceHeld() throws IOException {
    create(
        CreateOptions.of("vhdx", 8L * MIB)
            .withBacking("parent.vhdx", "vhdx")
            .withoutOpeningBacking());
    OpenOptions options = OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS);
    try (BlockDevice disk = Images.open(device, options.withBacking(Images.ram(8 * MIB)))) {
      disk.write(ByteBuffer.wrap(new byte[] {7}), 5L * MIB + 1000);
      disk.feature(BackingLink.class)
          .orElseThrow()
          .change(java.util.Optional.empty(), java.util.Optional.empty());
    }
    byte[] model = new byte[8 * MIB];
    model[5 * MIB + 1000] = 7;
    try (BlockDevice disk = open()) {
      assertArrayEquals(model, Disks.read(disk));
      assertEquals(
          java.util.List.of(),
          disk.feature(Checking.class).orElseThrow().check((d, t) -> true).findings());
    }
  }

  @Test
  void fixedDiskIsZeroWhateverTheDeviceHeld() throws IOException {
    create(CreateOptions.of("vhdx", (long) ROOM * MIB).withOption("subformat", "fixed"));
    try (BlockDevice disk = open()) {
      assertArrayEquals(new byte[ROOM * MIB], Disks.read(disk));
    }
    CreateOptions larger = CreateOptions.of("vhdx", 4L * MIB).withOption("subformat", "fixed");
    IOException refusal = assertThrows(IOException.class, () -> create(larger));
    assertTrue(String.valueOf(refusal.getMessage()).contains("device"), refusal.toString());
  }
}
