package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Disks that copy into their image what they read from its parent. */
@Timeout(120)
final class LocalCacheTest {
  private static final int MIB = 1 << 20;
  private static final int SECTOR = 512;

  /** Where guests play: 1 MiB, of which the first half is full of 1 below, and the rest empty. */
  private static final long START = 2 * MIB - MIB / 2;

  private static final int SECTORS = 2048;
  private static final long SEED = 20261126;

  @TempDir Path folder;

  private final FullFiles files = new FullFiles();
  private final TapDisk disk =
      new TapDisk(
          0, DiskPolicy.DEFAULT.withReferences(files), new RamDisks(8 * MIB), GuestRing::start);
  private final GuestRing guest = new GuestRing();

  @AfterEach
  void letGo() throws Exception {
    disk.close(true);
  }

  /** An image of 8 MiB, of which the second MiB and the fourth are full of 1. */
  private Path parent(String format) throws IOException {
    Path file = folder.resolve("parent." + format);
    Images.create(file, CreateOptions.of(format, 8 * MIB)).close();
    try (BlockDevice device = Images.open(file, OpenOptions.readWrite().withFormat(format))) {
      Bytes.write(device, MIB, 1, MIB);
      Bytes.write(device, 3 * MIB, 1, MIB);
    }
    return file;
  }

  private String child(String format, String parentFormat) throws IOException {
    Path file = folder.resolve("child." + format);
    Images.create(
            file,
            CreateOptions.overlay(format, parent(parentFormat).toString(), parentFormat)
                .withReferences(ReferencePolicy.any()))
        .close();
    return format + ":" + file;
  }

  private void open(OpenRequest request) throws Exception {
    disk.open(request);
    disk.serve(guest.transport());
  }

  private void assertReads(int value, long offset, int length) throws IOException {
    assertArrayEquals(Bytes.of(value, length), Bytes.read(guest.device, offset, length));
  }

  /** How many images below the child say what lies there. */
  private int depthAt(String child, long offset) throws IOException {
    String[] parts = child.split(":", 2);
    try (BlockDevice device =
        Images.open(
            Path.of(parts[1]),
            OpenOptions.readOnly().withFormat(parts[0]).withReferences(ReferencePolicy.any()))) {
      return device.extentAt(offset, SECTOR).depth();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "qcow,raw",
    "qcow2,raw",
    "qcow2,qcow2",
    "vhd,vhd",
    "vhd,raw",
    "vhdx,vhdx",
    "vmdk,vmdk"
  })
  void whatWasReadIsInTheImageAndTheRestIsNot(String format, String below) throws Exception {
    String child = child(format, below);
    open(OpenRequest.of(child, OpenFlag.LOCAL_CACHE));
    assertReads(1, MIB, 4096);
    assertReads(0, 5 * MIB, 4096);
    Bytes.write(guest.device, MIB, 2, SECTOR);
    assertReads(2, MIB, SECTOR);
    assertReads(1, MIB + SECTOR, MIB - SECTOR);
    assertReads(1, MIB + SECTOR, MIB - SECTOR);
    disk.close(false);
    assertEquals(0, depthAt(child, MIB));
    assertEquals(0, depthAt(child, 2 * MIB - SECTOR));
    assertEquals(1, depthAt(child, 3 * MIB + MIB / 2));
  }

  @Test
  void withoutTheFlagNothingIsCopied() throws Exception {
    String child = child("qcow2", "raw");
    open(OpenRequest.of(child));
    assertReads(1, MIB, 4096);
    disk.close(false);
    assertEquals(1, depthAt(child, MIB));
  }

  @Test
  void aDiskThatIsNotWrittenOrHasNoParentHasNoCache() throws Exception {
    String child = child("qcow2", "raw");
    open(OpenRequest.of(child, OpenFlag.LOCAL_CACHE, OpenFlag.READ_ONLY));
    assertReads(1, MIB, 4096);
    disk.close(false);
    assertEquals(1, depthAt(child, MIB));
    for (String alone : List.of("raw:", "ram:4M")) {
      String name = alone.equals("raw:") ? "aio:" + folder.resolve("parent.raw") : alone;
      disk.open(OpenRequest.of(name, OpenFlag.LOCAL_CACHE));
      assertTrue(!disk.statistics().contains("\"lc\""), disk.statistics());
      disk.close(false);
    }
  }

  @Test
  void itGoesOnAfterAPause() throws Exception {
    String child = child("vhd", "vhd");
    open(OpenRequest.of(child, OpenFlag.LOCAL_CACHE));
    assertReads(1, MIB, 4096);
    disk.pause();
    assertEquals(0, depthAt(child, MIB));
    disk.resume(ResumeRequest.SAME);
    assertReads(1, 3 * MIB, 4096);
    assertReads(1, MIB, 4096);
    disk.close(false);
    assertEquals(0, depthAt(child, 3 * MIB));
  }

  @Test
  void aHostWithoutSpaceEndsTheCopiesAndNoRead() throws Exception {
    Path file = folder.resolve("child.qcow2");
    Images.create(
            file,
            CreateOptions.overlay("qcow2", parent("raw").toString(), "raw")
                .withOption("data_file", folder.resolve("data").toString())
                .withReferences(files))
        .close();
    open(OpenRequest.of("qcow2:" + file, OpenFlag.LOCAL_CACHE));
    files.isFull = true;
    assertReads(1, MIB, MIB);
    files.isFull = false;
    assertReads(1, MIB, MIB);
    Bytes.write(guest.device, MIB, 2, 4096);
    assertReads(2, MIB, 4096);
    assertReads(1, 3 * MIB, 4096);
    disk.close(false);
    assertEquals(1, depthAt("qcow2:" + file, 3 * MIB));
  }

  @Test
  void statisticsNameItBehindTheImageAsTapdiskDoes() throws Exception {
    String child = child("qcow2", "raw");
    open(OpenRequest.of(child + "|aio:" + folder.resolve("parent.raw"), OpenFlag.LOCAL_CACHE));
    assertReads(1, MIB, 4096);
    assertReads(1, MIB, 4096);
    String text = disk.statistics();
    assertTrue(text.contains("\"driver\": { \"type\": 11, \"name\": \"lc\""), text);
    assertTrue(
        text.contains("parent.raw\", \"hits\": [ 8, 0 ]"), "it was read once from below: " + text);
  }

  @Test
  void aMirrorGetsWhatTheGuestWritesAndNoCopies() throws Exception {
    String child = child("qcow2", "raw");
    Path mirror = folder.resolve("mirror.qcow2");
    Images.create(mirror, CreateOptions.of("qcow2", 8 * MIB)).close();
    open(OpenRequest.of(child, OpenFlag.LOCAL_CACHE).withSecondary("qcow2:" + mirror));
    assertReads(1, MIB, 4096);
    Bytes.write(guest.device, 3 * MIB, 2, 4096);
    disk.close(false);
    assertEquals(0, depthAt(child, MIB));
    try (BlockDevice device = Images.open(mirror, OpenOptions.readOnly().withFormat("qcow2"))) {
      assertArrayEquals(new byte[4096], Bytes.read(device, MIB, 4096));
      assertArrayEquals(Bytes.of(2, 4096), Bytes.read(device, 3 * MIB, 4096));
    }
  }

  @Test
  void aLogOfChangedBlocksKnowsOfNoCopies() throws Exception {
    byte[] empty = new byte[48 + 16];
    empty[42] = (byte) 0x80; // 8 MiB, little endian
    Path log = Files.write(folder.resolve("log"), empty);
    String child = child("qcow2", "raw");
    open(OpenRequest.of(child, OpenFlag.LOCAL_CACHE).withLog(Optional.of(log)));
    assertReads(1, MIB, 65_536);
    Bytes.write(guest.device, 3 * MIB, 2, 4096);
    byte[] bits = Files.readAllBytes(log);
    assertEquals(0, bits[48 + 2], "block 16 was only read");
    assertEquals(1, bits[48 + 6]);
    disk.close(false);
    assertEquals(0, depthAt(child, MIB));
  }

  @Test
  void aStandbyIsRefusedBesideIt() throws Exception {
    String child = child("qcow2", "raw");
    OpenRequest request = OpenRequest.of(child, OpenFlag.LOCAL_CACHE, OpenFlag.STANDBY);
    DiskException e =
        assertThrows(DiskException.class, () -> disk.open(request.withSecondary("ram:8M")));
    assertEquals(Errno.EINVAL.number(), e.number());
    assertTrue(e.getMessage().contains("does not go with a standby image"), e.getMessage());
    disk.open(request);
  }

  /** What one thread does to its sectors, and finds. */
  private interface Player {
    byte[] play(int number, Random random) throws IOException;
  }

  /** Each thread has every fourth sector; all read ranges that are everybody's. */
  @ParameterizedTest
  @CsvSource({"qcow,raw", "qcow2,qcow2", "vhd,vhd", "vhdx,vhdx", "vmdk,vmdk"})
  void whatGuestsWriteWhileTheyReadIsWhatTheyFind(String format, String below) throws Exception {
    open(OpenRequest.of(child(format, below), OpenFlag.LOCAL_CACHE));
    byte[][] written = played(this::play);
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    byte[] found = Bytes.read(guest.device, START, SECTORS * SECTOR);
    for (int i = 0; i < SECTORS; i++) {
      assertEquals(written[i % 4][i], found[i * SECTOR], "sector " + i + ", seed " + SEED);
    }
  }

  /** Each thread has a quarter of the sectors, of which two have data below. */
  @ParameterizedTest
  @CsvSource({"qcow,raw", "qcow2,qcow2", "vhd,vhd", "vhdx,vhdx", "vmdk,vmdk"})
  void whatGuestsZeroAndDiscardWhileTheyReadDoesNotComeBack(String format, String below)
      throws Exception {
    open(OpenRequest.of(child(format, below), OpenFlag.LOCAL_CACHE));
    byte[][] written = played(this::zero);
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    byte[] found = Bytes.read(guest.device, START, SECTORS * SECTOR);
    for (int i = 0; i < SECTORS; i++) {
      byte expected = written[i / (SECTORS / 4)][i];
      assertEquals(expected, found[i * SECTOR], "sector " + i + ", seed " + SEED);
    }
  }

  private byte[] zero(int number, Random random) throws IOException {
    byte[] model = new byte[SECTORS];
    Arrays.fill(model, 0, SECTORS / 2, (byte) 1);
    int own = SECTORS / 4;
    for (int i = 0; i < 300; i++) {
      int first = number * own + random.nextInt(own);
      int count = 1 + random.nextInt((number + 1) * own - first);
      long offset = START + (long) first * SECTOR;
      switch (random.nextInt(6)) {
        case 0 -> {
          guest.device.writeZeroes(offset, (long) count * SECTOR);
          Arrays.fill(model, first, first + count, (byte) 0);
        }
        case 1 -> {
          guest.device.discard(offset, (long) count * SECTOR);
          byte[] left = Bytes.read(guest.device, offset, count * SECTOR);
          for (int j = 0; j < count; j++) {
            byte one = left[j * SECTOR];
            assertTrue(one == 0 || one == model[first + j], "sector " + (first + j));
            model[first + j] = one;
          }
        }
        case 2 -> {
          byte value = (byte) random.nextInt();
          Bytes.write(guest.device, offset, value, count * SECTOR);
          Arrays.fill(model, first, first + count, value);
        }
        default -> check(model, random.nextInt(SECTORS - 64), at -> at / own == number);
      }
    }
    return model;
  }

  /** Reads sectors that are everybody's, and looks at those that are the caller's. */
  private void check(byte[] model, int first, IntPredicate isOwn) throws IOException {
    byte[] found = Bytes.read(guest.device, START + (long) first * SECTOR, 64 * SECTOR);
    for (int j = 0; j < 64; j++) {
      int at = first + j;
      if (isOwn.test(at) && found[j * SECTOR] != model[at]) {
        throw new AssertionError("sector " + at + " has lost what was done to it");
      }
    }
  }

  /** What four threads find in the end, each by its number. */
  private static byte[][] played(Player player) throws InterruptedException {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    byte[][] written = new byte[4][];
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < written.length; i++) {
      int number = i;
      Thread thread =
          new Thread(
              () -> {
                try {
                  written[number] = player.play(number, new Random(SEED + number));
                } catch (IOException | RuntimeException | Error e) {
                  failure.set(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (failure.get() != null) {
      throw new AssertionError("seed " + SEED, failure.get());
    }
    return written;
  }

  private byte[] play(int number, Random random) throws IOException {
    byte[] model = new byte[SECTORS];
    Arrays.fill(model, 0, SECTORS / 2, (byte) 1);
    for (int i = 0; i < 600; i++) {
      int sector = random.nextInt(SECTORS / 4) * 4 + number;
      if (random.nextInt(3) == 0) {
        model[sector] = (byte) random.nextInt();
        Bytes.write(guest.device, START + (long) sector * SECTOR, model[sector], SECTOR);
        continue;
      }
      check(model, random.nextInt(SECTORS - 64), at -> at % 4 == number);
    }
    return model;
  }
}
