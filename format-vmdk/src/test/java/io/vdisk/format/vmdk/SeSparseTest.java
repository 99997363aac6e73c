package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.ImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.testkit.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An seSparse file, built from what is known of it; QEMU reads it as we do. */
class SeSparseTest {
  private static final int SECTOR = 512;
  private static final int GRAIN = 4096;
  private static final int SIZE = 40 << 20;

  @TempDir Path folder;
  private final byte[] disk = new byte[SIZE];

  private ByteBuffer image() {
    ByteBuffer image = ByteBuffer.allocate(2 << 20).order(ByteOrder.LITTLE_ENDIAN);
    SeSparseHeader.MAGIC_NUMBER.put(image, 0, SeSparseHeader.MAGIC);
    SeSparseHeader.VERSION.put(image, 0, SeSparseHeader.ONLY_VERSION);
    SeSparseHeader.CAPACITY.put(image, 0, SIZE / SECTOR);
    SeSparseHeader.GRAIN_SIZE.put(image, 0, 8);
    SeSparseHeader.GRAIN_TABLE_SIZE.put(image, 0, 64);
    put(image, SeSparseHeader.VOLATILE_HEADER_OFFSET, SeSparseHeader.VOLATILE_HEADER_SIZE, 1, 1);
    put(image, SeSparseHeader.JOURNAL_HEADER_OFFSET, SeSparseHeader.JOURNAL_HEADER_SIZE, 2, 2);
    put(image, SeSparseHeader.JOURNAL_OFFSET, SeSparseHeader.JOURNAL_SIZE, 8, 8);
    put(image, SeSparseHeader.GRAIN_DIR_OFFSET, SeSparseHeader.GRAIN_DIR_SIZE, 16, 8);
    put(image, SeSparseHeader.GRAIN_TABLES_OFFSET, SeSparseHeader.GRAIN_TABLES_SIZE, 64, 192);
    put(image, SeSparseHeader.FREE_BITMAP_OFFSET, SeSparseHeader.FREE_BITMAP_SIZE, 256, 8);
    put(image, SeSparseHeader.BACKMAP_OFFSET, SeSparseHeader.BACKMAP_SIZE, 264, 8);
    put(image, SeSparseHeader.GRAINS_OFFSET, SeSparseHeader.GRAINS_SIZE, 512, 2048);
    SeSparseHeader.VOLATILE_MAGIC.put(image, SECTOR, SeSparseHeader.VOLATILE_MAGIC_VALUE);
    // Guest tables 0 and 2 lie in the second and first place.
    image.putLong(16 * SECTOR, 0x1000_0000_0000_0001L);
    image.putLong(16 * SECTOR + 16, 0x1000_0000_0000_0000L);
    grain(image, 0, 5);
    grain(image, 1, 6);
    grain(image, 7, 100);
    entry(image, 8, 0x1000_0000_0000_0000L);
    entry(image, 9, 0x2000_0000_0000_0000L);
    grain(image, 2 * 4096 + 3, 0);
    return image;
  }

  private static void put(
      ByteBuffer image,
      io.vdisk.spi.struct.Struct.U64 offset,
      io.vdisk.spi.struct.Struct.U64 size,
      long sector,
      long sectors) {
    offset.put(image, 0, sector);
    size.put(image, 0, sectors);
  }

  private static void entry(ByteBuffer image, int grain, long entry) {
    int table = grain / 4096 == 0 ? 1 : 0;
    image.putLong(64 * SECTOR + table * 32_768 + grain % 4096 * 8, entry);
  }

  /** The last twelve bits of a number stand before the others. */
  private void grain(ByteBuffer image, int grain, long number) {
    entry(image, grain, 3L << 60 | (number & 0xfff) << 48 | number >>> 12);
    byte[] bytes = new byte[GRAIN];
    new Random(grain).nextBytes(bytes);
    image.put((int) (512 * SECTOR + number * GRAIN), bytes);
    System.arraycopy(bytes, 0, disk, grain * GRAIN, GRAIN);
  }

  private void write(ByteBuffer image) throws IOException {
    Files.write(folder.resolve("disk-sesparse.vmdk"), image.array());
    Files.writeString(
        folder.resolve("disk.vmdk"),
        "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"seSparse\"\n\n"
            + "RW "
            + SIZE / SECTOR
            + " SESPARSE \"disk-sesparse.vmdk\"\n",
        StandardCharsets.US_ASCII);
  }

  @Test
  void grainsAreFoundThroughBothTables() throws IOException {
    write(image());
    assertArrayEquals(disk, Disks.read(folder.resolve("disk.vmdk")));
    try (BlockDevice device = Disks.open(folder.resolve("disk.vmdk"), true)) {
      assertThrows(UnsupportedImageException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    }
    assertArrayEquals(image().array(), Files.readAllBytes(folder.resolve("disk-sesparse.vmdk")));
  }

  /** QEMU 7.2 shows the extent twice, one behind the other; the first is looked at. */
  @Test
  void qemuReadsTheSame() throws Exception {
    write(image());
    new Programs(folder).img("convert", "-f", "vmdk", "-O", "raw", "disk.vmdk", "back.raw");
    byte[] back = Files.readAllBytes(folder.resolve("back.raw"));
    assertArrayEquals(disk, Arrays.copyOf(back, SIZE));
  }

  @Test
  void journalThatMustBeReplayedAndOtherVersionsAreRefused() throws IOException {
    ByteBuffer image = image();
    SeSparseHeader.REPLAY_JOURNAL.put(image, SECTOR, 1);
    write(image);
    assertThrows(ImageException.class, () -> Disks.read(folder.resolve("disk.vmdk")));
    image = image();
    SeSparseHeader.VERSION.put(image, 0, 3);
    write(image);
    assertThrows(ImageException.class, () -> Disks.read(folder.resolve("disk.vmdk")));
  }

  @Test
  void entriesThatNameWhatIsNotThereAreRefused() throws IOException {
    for (long bad : new long[] {4L << 60, 1, 3L << 60 | 0xffff_ffffL, 3L << 60 | 0xfffL << 48}) {
      ByteBuffer image = image();
      entry(image, 0, bad);
      write(image);
      ImageException refusal =
          assertThrows(ImageException.class, () -> Disks.read(folder.resolve("disk.vmdk")));
      assertTrue(refusal.getMessage().contains("grain 0"), refusal.getMessage());
    }
    ByteBuffer image = image();
    image.putLong(16 * SECTOR, 0x1000_0000_0000_0003L);
    write(image);
    assertThrows(ImageException.class, () -> Disks.read(folder.resolve("disk.vmdk")));
  }
}
