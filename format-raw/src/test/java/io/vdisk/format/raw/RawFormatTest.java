package io.vdisk.format.raw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.Measurement;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Resizing;
import io.vdisk.file.FileSlice;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RawFormatTest {
  private static final long SIZE = (8 << 20) + 1000;

  @TempDir Path folder;

  @Test
  void imageIsSparseUnlessToldOtherwise() throws Exception {
    Path path = folder.resolve("disk.raw");
    Images.create(path, options(SIZE)).close();
    assertEquals(SIZE, Files.size(path));
    assertTrue(allocated(path) < 1 << 20, allocated(path) + " bytes are allocated");
    assertReadsAsZero(path);
  }

  @ParameterizedTest
  @ValueSource(strings = {"falloc", "full"})
  void imageHasAllItsSpaceIfThatIsWanted(String preallocation) throws Exception {
    Path path = folder.resolve("disk.raw");
    Images.create(path, options(SIZE).withOption("preallocation", preallocation)).close();
    assertEquals(SIZE, Files.size(path));
    assertTrue(allocated(path) >= SIZE, allocated(path) + " bytes are allocated");
    assertReadsAsZero(path);
  }

  @Test
  void spaceIsSetAsideWithoutWritingWhereTheHostCan() throws IOException {
    Reserving file = new Reserving();
    Images.create(file, options(SIZE).withOption("preallocation", "falloc")).close();
    assertEquals(SIZE, file.size());
    assertEquals(SIZE, file.reserved);
    assertEquals(0, file.written);
  }

  /** On a host that sets space aside without writing. */
  private static final class Reserving extends ForwardingFile {
    long reserved;
    long written;

    Reserving() {
      super(new MemoryFile("disk"));
    }

    @Override
    public boolean allocate(long offset, long length) {
      reserved += length;
      return true;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      written += src.remaining();
      super.write(src, offset);
    }
  }

  @Test
  void whatIsNotKnownIsRefused() {
    MemoryFile file = new MemoryFile("disk");
    for (CreateOptions wrong :
        List.of(
            options(SIZE).withOption("preallocation", "metadata"),
            options(SIZE).withOption("cluster_size", "512"),
            options(SIZE).withBacking("base", null),
            CreateOptions.overlay("raw", "base", null))) {
      assertThrows(IllegalArgumentException.class, () -> Images.create(file, wrong));
    }
  }

  @Test
  void failedCreationLeavesNoFile() {
    Path path = folder.resolve("disk.raw");
    assertThrows(
        IllegalArgumentException.class,
        () -> Images.create(path, options(SIZE).withOption("preallocation", "some")));
    assertTrue(Files.notExists(path));
  }

  @Test
  void diskThatIsMadeOverADeviceReadsAsZero() throws IOException {
    MemoryFile volume = new MemoryFile("volume");
    volume.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), SIZE - 3);
    FileSlice device = new FileSlice(volume, 0, SIZE);

    try (BlockDevice disk = Images.create(device, options(SIZE))) {
      ByteBuffer content = ByteBuffer.allocate((int) SIZE);
      disk.read(content, 0);
      assertArrayEquals(new byte[(int) SIZE], content.array());
    }
  }

  @Test
  void guestBytesLieAtTheirOwnOffsets() throws IOException {
    MemoryFile file = new MemoryFile("disk");
    byte[] bytes = {1, 2, 3, 4, 5};
    try (BlockDevice device = Images.create(file, options(SIZE))) {
      device.write(ByteBuffer.wrap(bytes), SIZE - 5);
      assertThrows(
          IndexOutOfBoundsException.class, () -> device.write(ByteBuffer.wrap(bytes), SIZE - 4));
      Extent end = device.extentAt(SIZE - 5, 5);
      assertEquals(SIZE - 5, end.fileOffset());
      assertEquals(file, end.file().orElseThrow());
    }
    ByteBuffer read = ByteBuffer.allocate(5);
    file.readFully(read, SIZE - 5);
    assertArrayEquals(bytes, read.array());
    assertEquals(SIZE, file.size());
  }

  @Test
  void zeroesAndDiscardsReadAsZero() throws IOException {
    MemoryFile file = new MemoryFile("disk");
    byte[] bytes = new byte[(int) SIZE];
    Arrays.fill(bytes, (byte) 9);
    try (BlockDevice device = Images.create(file, options(SIZE))) {
      device.write(ByteBuffer.wrap(bytes), 0);
      device.writeZeroes(100, 3_000_000);
      Arrays.fill(bytes, 100, 3_000_100, (byte) 0);
      device.discard(4 << 20, SIZE - (4 << 20));
      Arrays.fill(bytes, 4 << 20, (int) SIZE, (byte) 0);
      byte[] read = new byte[(int) SIZE];
      device.read(ByteBuffer.wrap(read), 0);
      assertArrayEquals(bytes, read);
    }
    assertEquals(SIZE, file.size());
  }

  @Test
  void diskGrowsByZeroesAndShrinks() throws IOException {
    Path path = folder.resolve("disk.raw");
    try (BlockDevice disk = Images.create(path, options(1000))) {
      disk.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 997);
      Resizing resizing = disk.feature(Resizing.class).orElseThrow();

      resizing.resize(998);
      assertEquals(998, disk.size());
      resizing.resize(SIZE);
      assertEquals(SIZE, disk.info().virtualSize());
      ByteBuffer end = ByteBuffer.allocate(100);
      disk.read(end, 990);
      assertArrayEquals(Arrays.copyOf(new byte[] {0, 0, 0, 0, 0, 0, 0, 1}, 100), end.array());
      disk.write(ByteBuffer.wrap(new byte[1]), SIZE - 1);
      assertThrows(IllegalArgumentException.class, () -> resizing.resize(-1));
    }
    assertEquals(SIZE, Files.size(path));
  }

  @Test
  void diskThatIsOpenForReadingIsNotResized() throws IOException {
    Path path = folder.resolve("disk.raw");
    Images.create(path, options(SIZE)).close();
    OpenOptions options = OpenOptions.readOnly().withFormat("raw");
    try (BlockDevice disk = Images.open(path, options)) {
      assertTrue(disk.feature(Resizing.class).isEmpty());
    }
    Limits limits = Limits.DEFAULT.withVirtualSize(SIZE);
    try (BlockDevice disk =
        Images.open(path, OpenOptions.readWrite().withFormat("raw").withLimits(limits))) {
      Resizing resizing = disk.feature(Resizing.class).orElseThrow();
      assertThrows(ImageException.class, () -> resizing.resize(SIZE + 1));
      assertEquals(SIZE, disk.size());
    }
  }

  @Test
  void diskTakesItsSizeAndNoMore() throws IOException {
    assertEquals(new Measurement(SIZE, SIZE, OptionalLong.empty()), Images.measure(options(SIZE)));
    assertThrows(
        IllegalArgumentException.class,
        () -> Images.measure(options(SIZE).withOption("cluster_size", "1")));
    assertThrows(
        IllegalArgumentException.class,
        () -> Images.measure(options(SIZE).withBacking("base", "raw")));
  }

  @Test
  void rawIsNeverGuessed() throws IOException {
    MemoryFile file = new MemoryFile("disk", new byte[512]);
    assertThrows(
        UnsupportedImageException.class,
        () -> Images.open(file, OpenOptions.readOnly().withFormats(List.of(new RawFormat()))));
    try (BlockDevice device = Images.open(file, opening())) {
      assertEquals(512, device.size());
      assertThrows(
          NonWritableChannelException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    }
  }

  @Test
  void limitHolds() throws IOException {
    MemoryFile file = new MemoryFile("disk", new byte[512]);
    OpenOptions options = opening().withLimits(Limits.DEFAULT.withVirtualSize(511));
    assertThrows(ImageException.class, () -> Images.open(file, options));
  }

  private static CreateOptions options(long size) {
    return CreateOptions.of("raw", size).withFormats(List.of(new RawFormat()));
  }

  private static OpenOptions opening() {
    return OpenOptions.readOnly().withFormats(List.of(new RawFormat())).withFormat("raw");
  }

  private void assertReadsAsZero(Path path) throws IOException {
    try (BlockDevice device = Images.open(path, opening())) {
      byte[] content = new byte[(int) SIZE];
      Arrays.fill(content, (byte) 1);
      device.read(ByteBuffer.wrap(content), 0);
      assertArrayEquals(new byte[(int) SIZE], content);
    }
  }

  /** Bytes that the host has allocated to a file. */
  private static long allocated(Path path) throws IOException, InterruptedException {
    String stat = Requirements.need("stat").toString();
    Process process = new ProcessBuilder(stat, "-c", "%b", path.toString()).start();
    String blocks = new String(process.getInputStream().readAllBytes()).trim();
    assertEquals(0, process.waitFor());
    return Long.parseLong(blocks) * 512;
  }
}
