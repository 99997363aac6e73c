package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.FileSlice;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.format.qcow.QcowFormat;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images in a host file that cannot grow, smaller than the virtual disk: a logical volume, say. */
class NoRoomToGrowTest {
  private static final List<ImageFormat> FORMATS = List.of(new QcowFormat(), new Qcow2Format());
  private static final int SIZE = 4 << 20;
  private static final int CLUSTER = 4096;
  private static final int CAPACITY = 1 << 20;

  private final MemoryFile volume = new MemoryFile("volume");
  private final FileSlice file = new FileSlice(volume, 4096, CAPACITY);
  private final byte[] model = new byte[SIZE];
  private final Random random = new Random(1);

  private static CreateOptions options(String format) {
    return CreateOptions.of(format, SIZE)
        .withFormats(FORMATS)
        .withOption("cluster_size", Integer.toString(CLUSTER));
  }

  private static OpenOptions opening(String format, boolean writable) {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return options.withFormat(format).withFormats(FORMATS);
  }

  /** Writes clusters from {@code offset} on until there is no room; how many were written. */
  private int fill(BlockDevice device, int offset) throws IOException {
    byte[] cluster = new byte[CLUSTER];
    int written = 0;
    for (int at = offset; at < SIZE; at += CLUSTER) {
      random.nextBytes(cluster);
      try {
        device.write(ByteBuffer.wrap(cluster), at);
      } catch (NoSpaceException e) {
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(" is full: it cannot grow beyond " + CAPACITY), message);
        return written;
      }
      System.arraycopy(cluster, 0, model, at, CLUSTER);
      written++;
    }
    throw new AssertionError("the disk took everything");
  }

  private void discard(BlockDevice device, int offset, int length) throws IOException {
    device.discard(offset, length);
    Arrays.fill(model, offset, offset + length, (byte) 0);
  }

  private void assertWhole(BlockDevice device) throws IOException {
    byte[] content = new byte[SIZE];
    device.read(ByteBuffer.wrap(content), 0);
    assertArrayEquals(model, content);
    CheckReport report = device.feature(Checking.class).orElseThrow().check((d, t) -> true);
    assertEquals(List.of(), report.findings());
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void fullImageFailsWithAClearReasonAndStaysWhole(String format) throws IOException {
    try (BlockDevice device = Images.create(file, options(format))) {
      int written = fill(device, 0);
      assertTrue(written > CAPACITY / CLUSTER - 16, written + " clusters written");
      assertThrows(
          NoSpaceException.class, () -> device.write(ByteBuffer.allocate(1), SIZE - CLUSTER));
      device.write(ByteBuffer.wrap(model, 0, CLUSTER), 0); // in place
      device.flush();
      assertWhole(device);
    }
    assertTrue(volume.size() <= 4096 + CAPACITY, "written past the volume's end");
    try (BlockDevice device = Images.open(file, opening(format, false))) {
      assertWhole(device);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void requestLargerThanTheRoomFillsWhatThereIsBeforeItFails(String format) throws IOException {
    byte[] all = new byte[SIZE];
    random.nextBytes(all);
    try (BlockDevice device = Images.create(file, options(format))) {
      ByteBuffer src = ByteBuffer.wrap(all);
      assertThrows(NoSpaceException.class, () -> device.write(src, 0));
      assertTrue(src.position() > CAPACITY - 16 * CLUSTER, src.toString());
      System.arraycopy(all, 0, model, 0, src.position());
      device.flush();
      assertWhole(device);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"flush", "no flush"})
  void discardedClustersAreUsedAgain(String flush) throws IOException {
    try (BlockDevice device = Images.create(file, options("qcow2"))) {
      int written = fill(device, 0);
      for (int round = 0; round < 4; round++) {
        int freed = written / 2;
        discard(device, 0, freed * CLUSTER);
        if (flush.equals("flush")) {
          device.flush();
        }
        // Others take their place; the table of the new ones may take one of them.
        int other = SIZE / 2 + round * SIZE / 8;
        int again = fill(device, other);
        assertTrue(again >= freed - 1, again + " of " + freed + " clusters used again");
        discard(device, other, again * CLUSTER);
        assertTrue(fill(device, 0) >= freed - 1);
        device.flush();
        assertWhole(device);
      }
    }
    try (BlockDevice device = Images.open(file, opening("qcow2", false))) {
      assertWhole(device);
    }
  }

  /** qcow has no word for a cluster that is free: it keeps its place, and is written there. */
  @Test
  void discardedClustersOfVersion1AreWrittenInPlace() throws IOException {
    try (BlockDevice device = Images.create(file, options("qcow"))) {
      int written = fill(device, 0);
      discard(device, 0, written / 2 * CLUSTER);
      device.flush();
      assertEquals(written, fill(device, 0));
      assertWhole(device);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void whatADeviceHeldBehindTheImageIsFreeAndNeverShows(String format) throws IOException {
    try (BlockDevice device = Images.create(file, options(format))) {
      byte[] some = new byte[10 * CLUSTER];
      random.nextBytes(some);
      device.write(ByteBuffer.wrap(some), 0);
      System.arraycopy(some, 0, model, 0, some.length);
    }
    byte[] garbage = new byte[(int) (CAPACITY - file.size())];
    random.nextBytes(garbage);
    file.write(ByteBuffer.wrap(garbage), file.size());
    try (BlockDevice device = Images.open(file, opening(format, true))) {
      device.write(ByteBuffer.wrap(new byte[] {7}), SIZE - CLUSTER + 5);
      model[SIZE - CLUSTER + 5] = 7;
      assertWhole(device);
      int written = fill(device, 0);
      assertTrue(written > CAPACITY / CLUSTER - 16, written + " clusters written");
      device.flush();
      assertWhole(device);
    }
    try (BlockDevice device = Images.open(file, opening(format, true))) {
      assertWhole(device);
      assertThrows(
          NoSpaceException.class, () -> device.write(ByteBuffer.allocate(1), SIZE - 4 * CLUSTER));
    }
  }

  /** Cluster size and preallocation, or neither. */
  @ParameterizedTest
  @CsvSource({"qcow,", "qcow2,", "qcow2,metadata", "qcow2,falloc", "qcow2,full"})
  void imageIsMadeOverWhatADeviceHeldAndReadsAsZero(String format, String preallocation)
      throws IOException {
    byte[] garbage = new byte[4096 + CAPACITY];
    random.nextBytes(garbage);
    volume.write(ByteBuffer.wrap(garbage), 0);
    CreateOptions options = options(format).withVirtualSize(CAPACITY / 2);
    if (preallocation != null) {
      options = options.withOption("preallocation", preallocation);
    }

    try (BlockDevice device = Images.create(file, options)) {
      byte[] content = new byte[CAPACITY / 2];
      device.read(ByteBuffer.wrap(content), 0);
      assertArrayEquals(new byte[CAPACITY / 2], content);
      CheckReport report = device.feature(Checking.class).orElseThrow().check((d, t) -> true);
      assertEquals(List.of(), report.findings());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void refusedCreationLeavesADeviceAsItIs(String format) throws IOException {
    byte[] content = new byte[4096 + CAPACITY];
    random.nextBytes(content);
    volume.write(ByteBuffer.wrap(content), 0);

    assertThrows(
        IllegalArgumentException.class,
        () -> Images.create(file, options(format).withOption("no_such", "1")));

    byte[] left = new byte[content.length];
    volume.readFully(ByteBuffer.wrap(left), 0);
    assertArrayEquals(content, left);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void blockDeviceIsFilledToItsEndAndNotBeyond(String format, @TempDir Path folder)
      throws Exception {
    Requirements.need(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
        "needs to be run by root, to make a loop device");
    Requirements.need("losetup");
    Requirements.need("qemu-img");
    Path image = folder.resolve("image");
    Images.create(image, options(format)).close();
    Path disk = folder.resolve("disk");
    try (HostFile made = LocalFile.create(disk)) {
      made.resize(CAPACITY);
      made.write(ByteBuffer.wrap(Files.readAllBytes(image)), 0);
    }
    Path loop = attach(disk);
    try {
      try (BlockDevice device = Images.open(loop, opening(format, true))) {
        int written = fill(device, 0);
        assertTrue(written > CAPACITY / CLUSTER - 16, written + " clusters written");
        device.flush();
        assertWhole(device);
        if (format.equals("qcow2")) {
          discard(device, 0, written / 2 * CLUSTER);
          device.flush();
          assertTrue(fill(device, 0) >= written / 2);
        }
      }
      try (BlockDevice device = Images.open(loop, opening(format, false))) {
        assertWhole(device);
      }
      Path content = Files.write(folder.resolve("content"), model);
      Qemu.succeed("qemu-img", "compare", "-f", format, "-F", "raw", loop, content);
      if (format.equals("qcow2")) {
        Qemu.succeed("qemu-img", "check", "-f", format, loop);
      }
    } finally {
      Qemu.succeed("losetup", "--detach", loop);
    }
  }

  private static Path attach(Path disk) throws Exception {
    Process losetup = new ProcessBuilder("losetup", "--find", "--show", disk.toString()).start();
    String said = new String(losetup.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Requirements.need(losetup.waitFor() == 0, "needs a loop device, but losetup makes none");
    return Path.of(said.strip());
  }
}
