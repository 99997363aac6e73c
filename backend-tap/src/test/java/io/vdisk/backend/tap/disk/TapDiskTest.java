package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One virtual block device from attach to detach. */
final class TapDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final RamDisks rams = new RamDisks(64 * MIB);
  private final TapDisk disk = disk(DiskPolicy.DEFAULT);
  private final GuestRing guest = new GuestRing();

  private TapDisk disk(DiskPolicy policy) {
    return new TapDisk(3, policy, rams, GuestRing::start);
  }

  @AfterEach
  void letGo() throws Exception {
    disk.close(true);
  }

  private Path raw(String name, int bytes) throws IOException {
    return Files.write(folder.resolve(name), new byte[bytes]);
  }

  private String image(String format, String name, long bytes) throws IOException {
    Path file = folder.resolve(name);
    Images.create(file, CreateOptions.of(format, bytes)).close();
    return format + ":" + file;
  }

  private static DiskException refused(Errno errno, String trouble, Executable body) {
    DiskException e = assertThrows(DiskException.class, body);
    assertTrue(e.getMessage().contains(trouble), e.getMessage());
    assertEquals(errno.number(), e.number(), e.getMessage());
    return e;
  }

  @Test
  void itsStateAndNameFollowItsLife() throws Exception {
    assertEquals(0, disk.state());
    assertEquals(Optional.empty(), disk.name());
    disk.open(OpenRequest.of("ram:1M"));
    assertEquals(0, disk.state());
    assertEquals(Optional.of("ram:1M"), disk.name());
    disk.pause();
    assertEquals(0x2a, disk.state());
    disk.resume(ResumeRequest.SAME);
    assertEquals(0, disk.state());
    disk.close(false);
    assertEquals(0x2, disk.state());
    assertEquals(Optional.empty(), disk.name());
    disk.open(OpenRequest.of("ram:1M"));
    assertEquals(0, disk.state());
    disk.close(false);
    disk.detach();
    assertEquals(3, disk.minor());
  }

  @Test
  void whatGuestsKnowIsToldBeforeTheFirstOpeningAndAfterTheLastClosing() throws Exception {
    assertEquals(DiskInfo.NONE, disk.info());
    disk.open(OpenRequest.of("ram:1M"));
    disk.close(false);
    assertEquals(new DiskInfo(2048, 512, 0), disk.info());
  }

  @Test
  void whatDoesNotFitItsStateIsRefused() throws Exception {
    refused(Errno.EINVAL, "disk 3 is not open", disk::pause);
    refused(Errno.EINVAL, "is not open", () -> disk.resume(ResumeRequest.SAME));
    refused(Errno.EINVAL, "is not open", () -> disk.serve(guest.transport()));
    assertEquals(List.of("close"), guest.events);
    disk.close(false);
    disk.open(OpenRequest.of("ram:1M"));
    refused(Errno.EALREADY, "is open already", () -> disk.open(OpenRequest.of("ram:1M")));
    refused(Errno.EINVAL, "is not paused", () -> disk.resume(ResumeRequest.SAME));
    refused(Errno.EBUSY, "is open", disk::detach);
    disk.pause();
    disk.pause();
    refused(Errno.EAGAIN, "is paused", () -> disk.serve(guest.transport()));
    refused(Errno.EAGAIN, "is paused", () -> disk.grow(9999));
    disk.close(false);
    disk.detach();
    refused(Errno.ENODEV, "is detached", () -> disk.open(OpenRequest.of("ram:1M")));
    refused(Errno.ENODEV, "is detached", disk::detach);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2", "vhd", "vhdx", "vmdk"})
  void everyFormatIsOpenedByItsDriver(String format) throws Exception {
    DiskInfo info = disk.open(OpenRequest.of(image(format, "image", 8 * MIB)));
    assertEquals(new DiskInfo(16_384, 512, 0), info);
    disk.serve(guest.transport());
    Bytes.write(guest.device, MIB, 5, 4096);
    guest.device.flush();
    assertArrayEquals(Bytes.of(5, 4096), Bytes.read(guest.device, MIB, 4096));
  }

  @ParameterizedTest
  @ValueSource(strings = {"aio", "sync", "phy", "file"})
  void whatIsRawIsNeverProbed(String driver) throws Exception {
    Path file = folder.resolve("image");
    Images.create(file, CreateOptions.of("qcow2", 8 * MIB)).close();
    long sectors = Files.size(file) / 512;
    assertEquals(sectors, disk.open(OpenRequest.of(driver + ":" + file)).sectors());
    disk.serve(guest.transport());
    assertArrayEquals(new byte[] {'Q', 'F', 'I', (byte) 0xfb}, Bytes.read(guest.device, 0, 4));
    assertEquals(driver.equals("sync"), guest.options.isSerial());
  }

  @Test
  void anImageIsOpenedAsNothingElseThanItsDriverSays() throws Exception {
    String image = image("qcow2", "image", 8 * MIB);
    refused(
        Errno.EINVAL, "image", () -> disk.open(OpenRequest.of(image.replace("qcow2:", "vhd:"))));
  }

  @Test
  void anOpenThatFailsLeavesItAttachedAndTheFileFree() throws Exception {
    Path file = raw("image", MIB);
    refused(
        Errno.ENOENT,
        "none does not exist",
        () -> disk.open(OpenRequest.of("aio:" + folder + "/none")));
    refused(Errno.ENOENT, "there is no driver 'zfs'", () -> disk.open(OpenRequest.of("zfs:/a")));
    refused(Errno.ENOSYS, "'nbd' is not built", () -> disk.open(OpenRequest.of("nbd:/a")));
    refused(
        Errno.EINVAL,
        "the secondary ram:2M has 2097152 bytes",
        () -> disk.open(OpenRequest.of("aio:" + file).withSecondary("ram:2M")));
    refused(
        Errno.ENOENT,
        "log does not exist",
        () -> disk.open(OpenRequest.of("aio:" + file).withLog(Optional.of(folder.resolve("log")))));
    assertEquals(Optional.empty(), disk.name());
    assertEquals(0, disk.state());
    disk.open(OpenRequest.of("aio:" + file));
  }

  @Test
  void whatIsNotBuiltIsRefusedByName() {
    OpenRequest request = OpenRequest.of("ram:1M");
    refused(
        Errno.ENOSYS,
        "ram:1M: another disk's NBD server as parent is not built",
        () -> disk.open(request.withParentMinor(1)));
    for (OpenFlag flag : List.of(OpenFlag.ADD_CACHE, OpenFlag.VHD_INDEX)) {
      refused(Errno.ENOSYS, "is not built here", () -> disk.open(request.withFlag(flag)));
    }
  }

  @Test
  void oneImageHasOneWriterUnlessItsGuestsShareIt() throws Exception {
    OpenRequest request = OpenRequest.of("aio:" + raw("image", MIB));
    disk.open(request);
    TapDisk other = disk(DiskPolicy.DEFAULT);
    refused(Errno.EBUSY, "is in use: it is open elsewhere", () -> other.open(request));
    disk.close(false);
    disk.open(request.withFlag(OpenFlag.SHARED));
    other.open(request.withFlag(OpenFlag.SHARED));
    other.close(false);
    String qcow2 = image("qcow2", "image.qcow2", MIB);
    other.open(OpenRequest.of(qcow2, OpenFlag.SHARED));
    disk.close(false);
    refused(
        Errno.EBUSY,
        "is in use: it is open elsewhere",
        () -> disk.open(OpenRequest.of(qcow2, OpenFlag.SHARED)));
    other.close(false);
  }

  @Test
  void aReadOnlyDiskSaysSoAndIsNotWritten() throws Exception {
    disk.open(OpenRequest.of("aio:" + raw("image", MIB), OpenFlag.READ_ONLY));
    assertEquals(new DiskInfo(2048, 512, 4), disk.info());
    disk.serve(guest.transport());
    assertTrue(guest.options.isReadOnly());
    assertThrows(NonWritableChannelException.class, () -> Bytes.write(guest.device, 0, 1, 512));
  }

  @Test
  void anEmptyImageIsRefusedAndAPartOfASectorIsNotTheGuests() throws Exception {
    String empty = "aio:" + raw("empty", 511);
    refused(Errno.EINVAL, "has no sector of 512 bytes", () -> disk.open(OpenRequest.of(empty)));
    assertEquals(1, disk.open(OpenRequest.of("aio:" + raw("image", 1000))).sectors());
  }

  @Test
  void whilePausedTheImageIsOthersAndTheRingsAreQuiet() throws Exception {
    String image = "aio:" + raw("image", MIB);
    disk.open(OpenRequest.of(image));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 1, 512);
    disk.pause();
    assertEquals(List.of("start", "pause"), guest.events);
    assertEquals(2048, disk.info().sectors());
    TapDisk other = disk(DiskPolicy.DEFAULT);
    other.open(OpenRequest.of(image));
    refused(Errno.EBUSY, "is in use: it is open elsewhere", () -> disk.resume(ResumeRequest.SAME));
    assertEquals(0x22a, disk.state());
    other.close(false);
    disk.resume(ResumeRequest.SAME);
    assertEquals(0, disk.state());
    assertEquals(List.of("start", "pause", "resume"), guest.events);
    assertArrayEquals(Bytes.of(1, 512), Bytes.read(guest.device, 0, 512));
  }

  @Test
  void aRingThatEndsWhileItIsPausedFindsAllDurable() throws Exception {
    disk.open(OpenRequest.of("aio:" + raw("image", MIB)));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 1, 512);
    disk.pause();
    guest.device.flush();
    assertThrows(ClosedChannelException.class, () -> Bytes.read(guest.device, 0, 512));
  }

  @Test
  void aSnapshotIsTakenBetweenPauseAndResume() throws Exception {
    String base = image("vhd", "base.vhd", 8 * MIB);
    disk.open(OpenRequest.of(base));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 1, 512);
    disk.pause();
    Path child = folder.resolve("child.vhd");
    Images.create(
            child,
            CreateOptions.overlay("vhd", folder.resolve("base.vhd").toString(), "vhd")
                .withReferences(ReferencePolicy.any()))
        .close();
    disk.resume(ResumeRequest.of("vhd:" + child));
    assertEquals(Optional.of("vhd:" + child), disk.name());
    Bytes.write(guest.device, 512, 2, 512);
    assertArrayEquals(Bytes.of(1, 512), Bytes.read(guest.device, 0, 512));
    disk.close(false);
    assertTrue(guest.events.contains("close"));
    disk.open(OpenRequest.of(base));
    GuestRing later = new GuestRing();
    disk.serve(later.transport());
    assertArrayEquals(new byte[512], Bytes.read(later.device, 512, 512));
  }

  @Test
  void itGoesOnFromTheSameSizeOrALargerOne() throws Exception {
    disk.open(OpenRequest.of("aio:" + raw("image", MIB)));
    disk.serve(guest.transport());
    disk.pause();
    String smaller = "aio:" + raw("smaller", MIB - 512);
    DiskException e =
        refused(
            Errno.EMEDIUMTYPE, "cannot go on from", () -> disk.resume(ResumeRequest.of(smaller)));
    assertTrue(e.getMessage().contains("smaller"));
    assertEquals(0x22a, disk.state());
    assertEquals(2048, disk.info().sectors());
    disk.resume(ResumeRequest.of("aio:" + raw("larger", 2 * MIB)));
    assertEquals(4096, disk.info().sectors());
    assertEquals(List.of("start", "pause", "resume", "size"), guest.events);
  }

  @Test
  void severalGuestsMayShareIt() throws Exception {
    disk.open(OpenRequest.of("ram:1M"));
    GuestRing other = new GuestRing();
    ServedRing one = disk.serve(guest.transport());
    ServedRing two = disk.serve(other.transport());
    Bytes.write(guest.device, 0, 6, 512);
    assertArrayEquals(Bytes.of(6, 512), Bytes.read(other.device, 0, 512));
    one.close();
    one.close();
    disk.pause();
    assertEquals(List.of("start", "close"), guest.events);
    assertEquals(List.of("start", "pause"), other.events);
    assertTrue(two.isServing());
    other.hasLeft = true;
    disk.resume(ResumeRequest.SAME);
    assertEquals(List.of("start", "pause"), other.events);
    GuestRing third = new GuestRing();
    disk.serve(third.transport());
    assertEquals(List.of("start", "pause", "close"), other.events);
    assertFalse(two.isServing());
    third.hasLeft = true;
    disk.pause();
    assertEquals(List.of("start", "close"), third.events);
  }

  @Test
  void twoDisksShareOneRam() throws Exception {
    TapDisk second = disk(DiskPolicy.DEFAULT);
    GuestRing other = new GuestRing();
    disk.open(OpenRequest.of("ram:1M", OpenFlag.SHARED));
    second.open(OpenRequest.of("ram:1M", OpenFlag.SHARED));
    disk.serve(guest.transport());
    second.serve(other.transport());
    Bytes.write(guest.device, 0, 6, 512);
    assertArrayEquals(Bytes.of(6, 512), Bytes.read(other.device, 0, 512));
    second.close(false);
  }

  @Test
  void aRamDiskOutlivesAPause() throws Exception {
    disk.open(OpenRequest.of("ram:1M"));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 6, 512);
    disk.pause();
    disk.pause();
    disk.resume(ResumeRequest.SAME);
    assertArrayEquals(Bytes.of(6, 512), Bytes.read(guest.device, 0, 512));
    disk.close(false);
    disk.open(OpenRequest.of("ram:1M"));
    disk.serve(guest.transport());
    assertArrayEquals(new byte[512], Bytes.read(guest.device, 0, 512));
  }

  @Test
  void aPauseThatCannotDrainIsNoneAndMayBeTriedAgain() throws Exception {
    disk.open(OpenRequest.of("ram:1M"));
    disk.serve(guest.transport());
    guest.pauseFailure = new IOException("the ring is stuck");
    refused(Errno.EIO, "the ring is stuck", disk::pause);
    assertEquals(0x14, disk.state());
    guest.pauseFailure = null;
    disk.pause();
    assertEquals(0x2a, disk.state());
  }

  @Test
  void aPauseThatCannotFlushIsNoneAndItsGuestIsTold() throws Exception {
    FailingFiles files = new FailingFiles();
    Path image = folder.resolve("image.qcow2");
    Images.create(
            image,
            CreateOptions.of("qcow2", 8 * MIB)
                .withOption("data_file", folder.resolve("data").toString())
                .withReferences(files))
        .close();
    TapDisk failing = disk(DiskPolicy.DEFAULT.withReferences(files));
    failing.open(OpenRequest.of("qcow2:" + image));
    failing.serve(guest.transport());
    Bytes.write(guest.device, MIB, 7, 512);
    files.failsToFlush = true;
    refused(Errno.EIO, "flush of " + folder.resolve("data") + " failed", failing::pause);
    assertEquals(0, failing.state());
    assertEquals(List.of("start", "pause", "resume"), guest.events);
    assertArrayEquals(Bytes.of(7, 512), Bytes.read(guest.device, MIB, 512));
    assertThrows(IOException.class, guest.device::flush);
    refused(Errno.EIO, "failed", () -> failing.close(false));
    assertEquals(0x2, failing.state());
  }

  @Test
  void itGrowsWhileItIsConnected() throws Exception {
    disk.open(OpenRequest.of("aio:" + raw("image", MIB)));
    disk.serve(guest.transport());
    assertEquals(4096, disk.grow(4096).sectors());
    assertEquals(List.of("start", "pause", "resume", "size"), guest.events);
    Bytes.write(guest.device, 2 * MIB - 512, 1, 512);
    assertEquals(2 * MIB, Files.size(folder.resolve("image")));
    refused(Errno.EINVAL, "cannot grow from 2097152 to 512", () -> disk.grow(1));
    refused(Errno.EINVAL, "cannot have -1 sectors", () -> disk.grow(-1));
    assertEquals(4096, disk.info().sectors());
  }

  @Test
  void whatCannotGrowSaysSo() throws Exception {
    disk.open(OpenRequest.of("ram:1M"));
    refused(Errno.ENOSYS, "ram:1M cannot change its size", () -> disk.grow(4096));
    disk.close(false);
    disk.open(OpenRequest.of("aio:" + raw("image", MIB), OpenFlag.READ_ONLY));
    refused(Errno.EINVAL, "is read-only", () -> disk.grow(4096));
  }

  @Test
  void whatSyncWritesIsDurableAtOnce() throws Exception {
    try (BlockDevice ram = Images.ram(MIB)) {
      int[] flushes = new int[1];
      BlockDevice device =
          new DurableDevice(
              new ForwardingDevice(ram) {
                @Override
                public void flush() throws IOException {
                  flushes[0]++;
                  super.flush();
                }
              });
      Bytes.write(device, 0, 1, 512);
      device.writeZeroes(0, 512);
      device.discard(0, 512);
      Bytes.read(device, 0, 512);
      assertEquals(3, flushes[0]);
    }
  }

  @Test
  void aStackIsOneDiskAndOnlyItsTopIsWritten() throws Exception {
    Path base = folder.resolve("base.raw");
    Files.write(base, Bytes.of(9, 8 * MIB));
    Path top = folder.resolve("top.qcow2");
    Images.create(
            top,
            CreateOptions.overlay("qcow2", base.toString(), "raw")
                .withReferences(ReferencePolicy.any()))
        .close();
    Path list =
        Files.writeString(folder.resolve("list"), "qcow2:" + top + "\naio:" + base + " ro\n");
    for (String name : new String[] {"qcow2:" + top + "|aio:" + base, "x-chain:" + list}) {
      disk.open(OpenRequest.of(name));
      disk.serve(guest.transport());
      assertArrayEquals(Bytes.of(9, 512), Bytes.read(guest.device, MIB, 512));
      Bytes.write(guest.device, 0, 1, 512);
      disk.close(false);
    }
    assertArrayEquals(Bytes.of(9, 8 * MIB), Files.readAllBytes(base));
    refused(
        Errno.EINVAL,
        "reads from no other image",
        () -> disk.open(OpenRequest.of("aio:" + base + "|aio:" + raw("other", MIB))));
  }

  @Test
  void whatImagesMayNameIsThePolicys() throws Exception {
    Path base = folder.resolve("base.raw");
    Files.write(base, Bytes.of(9, 8 * MIB));
    Path top = folder.resolve("top.qcow2");
    Images.create(
            top,
            CreateOptions.overlay("qcow2", base.toString(), "raw")
                .withReferences(ReferencePolicy.any()))
        .close();
    TapDisk strict = disk(DiskPolicy.DEFAULT.withReferences(ReferencePolicy.deny()));
    refused(
        Errno.EACCES, "names its backing file", () -> strict.open(OpenRequest.of("qcow2:" + top)));
    disk.open(OpenRequest.of("qcow2:" + top));
  }

  /** A log that a guest of the disk leaves. It is open, and the guest served. */
  private Path logOf(GuestRing ring) throws IOException {
    return Files.createFile(Path.of(ring.options.writeLogs().orElseThrow() + "77"));
  }

  @Test
  void closingWhatIsNotOpenLeavesWhatWasKeptForItsGuests() throws Exception {
    TapDisk kept = disk(DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")));
    OpenRequest request = OpenRequest.of(image("qcow2", "disk.qcow2", MIB));
    kept.open(request);
    kept.serve(guest.transport());
    Path log = logOf(guest);
    guest.closeFailure = new IOException("the host has gone");
    refused(Errno.EIO, "the host has gone", () -> kept.close(false));

    kept.close(false);

    assertTrue(Files.exists(log));
    kept.open(request);
    assertFalse(Files.exists(log), "all is durable");
  }

  @Test
  void nothingIsKeptWhenAllIsDurable() throws Exception {
    TapDisk kept = disk(DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")));
    kept.open(OpenRequest.of(image("qcow2", "disk.qcow2", MIB)));
    kept.serve(guest.transport());
    Path log = logOf(guest);

    kept.close(false);

    assertFalse(Files.exists(log));
  }

  @Test
  void writesAreKeptForADiskWhoseTablesMayBeInMemoryOnly() throws Exception {
    TapDisk kept = disk(DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")));
    OpenRequest qcow2 = OpenRequest.of(image("qcow2", "image.qcow2", MIB));
    GuestRing other = new GuestRing();
    kept.open(qcow2);
    kept.serve(other.transport());
    Path logs = other.options.writeLogs().orElseThrow();
    assertTrue(logs.toString().startsWith(folder.resolve("writes").toString()), logs.toString());
    kept.close(false);
    for (String name : new String[] {"aio:" + raw("image", MIB), "ram:1M"}) {
      kept.open(OpenRequest.of(name));
      kept.serve(other.transport());
      assertEquals(Optional.empty(), other.options.writeLogs(), name);
      kept.close(false);
    }
    kept.open(OpenRequest.of("aio:" + folder.resolve("image")).withSecondary(qcow2.name()));
    kept.serve(guest.transport());
    assertEquals(Optional.of(logs), guest.options.writeLogs(), "it is for the mirror");
    kept.close(false);
  }

  /** Whoever closes one that was written has its node's time set. */
  @Test
  void whenABlockDeviceWasChangedIsNotKnown() throws Exception {
    assertEquals(Instant.EPOCH, WrittenImages.of(OpenRequest.of("qcow2:/dev/null")).changed());
  }

  @Test
  void imagesPassByThePageCacheUnlessToldOtherwise() throws Exception {
    Path base = raw("base.raw", MIB);
    Path top = folder.resolve("top.qcow2");
    Images.create(
            top,
            CreateOptions.overlay("qcow2", base.toString(), "raw")
                .withReferences(ReferencePolicy.any()))
        .close();
    List<PageCache> caches = new ArrayList<>();
    ReferencePolicy watched =
        reference -> {
          caches.add(reference.from().pageCache());
          return ReferencePolicy.any().open(reference);
        };
    DiskPolicy policy = DiskPolicy.DEFAULT.withReferences(watched);
    String name = "qcow2:" + top;
    for (TapDisk other : new TapDisk[] {disk(policy), disk(policy.buffered())}) {
      other.open(OpenRequest.of(name));
      assertEquals(caches.size() > 1, other.statistics().contains("\"read_caching\": \"true\""));
      other.close(false);
    }
    TapDisk third = disk(policy);
    third.open(OpenRequest.of(name, OpenFlag.NO_O_DIRECT));
    third.close(false);
    assertNotEquals(PageCache.USED, caches.get(0), "past it, or dropped where it cannot be");
    assertEquals(List.of(PageCache.USED, PageCache.USED), caches.subList(1, 3));
  }

  @Test
  void aBrokenImageIsOneSentence() throws Exception {
    String image = image("vhd", "image.vhd", 8 * MIB);
    Path file = folder.resolve("image.vhd");
    byte[] bytes = Files.readAllBytes(file);
    java.util.Arrays.fill(bytes, (byte) 0x55);
    Files.write(file, bytes);
    refused(Errno.EINVAL, "image.vhd", () -> disk.open(OpenRequest.of(image)));
  }

  @Test
  void aForcedCloseTellsNoTrouble() throws Exception {
    for (boolean isForced : new boolean[] {false, true}) {
      GuestRing stuck = new GuestRing();
      stuck.closeFailure = new IOException("the ring is stuck");
      disk.open(OpenRequest.of("ram:1M"));
      disk.serve(stuck.transport());
      if (isForced) {
        disk.close(true);
      } else {
        refused(Errno.EIO, "the ring is stuck", () -> disk.close(false));
      }
      assertEquals(0x2, disk.state());
    }
  }

  @Test
  void theSameFailureAtTwoRingsIsTold() throws Exception {
    GuestRing other = new GuestRing();
    guest.closeFailure = new IOException("the host has gone");
    other.closeFailure = guest.closeFailure;
    disk.open(OpenRequest.of("ram:1M"));
    disk.serve(guest.transport());
    disk.serve(other.transport());
    refused(Errno.EIO, "the host has gone", () -> disk.close(false));
    assertEquals(0x2, disk.state());
  }

  @Test
  void aFaultOfTheProgramAtOneRingLeavesNoImageOpenAndNoLogBehind() throws Exception {
    TapDisk kept = disk(DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes")));
    OpenRequest request = OpenRequest.of(image("qcow2", "image", 8 * MIB));
    kept.open(request);
    kept.serve(guest.transport());
    Path log = logOf(guest);
    guest.closeFault = new IllegalStateException("a fault");
    IllegalStateException fault =
        assertThrows(IllegalStateException.class, () -> kept.close(false));
    assertEquals("a fault", fault.getMessage());
    assertEquals(0x2, kept.state());
    assertTrue(Files.exists(log), "perhaps its guest comes back for it");
    disk.open(request);
  }

  @Test
  void theOwnerCanOpenTheImageAfterwards() throws Exception {
    String image = image("qcow2", "image", 8 * MIB);
    disk.open(OpenRequest.of(image));
    disk.serve(guest.transport());
    Bytes.write(guest.device, MIB, 3, 512);
    disk.close(false);
    try (BlockDevice device =
        Images.open(folder.resolve("image"), OpenOptions.readOnly().withFormat("qcow2"))) {
      assertArrayEquals(Bytes.of(3, 512), Bytes.read(device, MIB, 512));
    }
  }
}
