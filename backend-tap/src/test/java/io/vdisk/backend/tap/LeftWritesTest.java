package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a killed process answered belongs to the image: whoever opens it next has it, and nobody
 * else.
 */
@Timeout(60)
final class LeftWritesTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final List<TapDisk> disks = new ArrayList<>();

  @AfterEach
  void close() throws IOException {
    for (TapDisk disk : disks) {
      disk.close(true);
    }
  }

  private TapDisk disk(int minor) {
    DiskPolicy policy = DiskPolicy.DEFAULT.withWriteLogs(folder.resolve("writes-"));
    TapDisk disk = new TapDisk(minor, policy, new RamDisks(0));
    disks.add(disk);
    return disk;
  }

  private Path image(String name) throws IOException {
    Path file = folder.resolve(name);
    Images.create(file, CreateOptions.of("qcow2", 8 * MIB)).close();
    return file;
  }

  private static OpenRequest request(Path image, OpenFlag... flags) {
    return OpenRequest.of("qcow2:" + image, flags);
  }

  private static MemoryGuest guest(TapDisk disk) throws IOException {
    return guest(disk, 7);
  }

  private static MemoryGuest guest(TapDisk disk, int domain) throws IOException {
    MemoryGuest guest = new MemoryGuest();
    XenRing ring = new XenRing(domain, 51712, 0, List.of(8), 15, RingAbi.X86_64, true);
    disk.serve(guest.transport(ring)).isServing();
    return guest;
  }

  /** What the process of a disk left when it was killed is all that there is of it. */
  private void kill(TapDisk killed, Path image) throws IOException {
    LeftFiles left = LeftFiles.now(image, folder);
    killed.close(false);
    left.restore();
  }

  /** A disk goes on from a new image above this one, and its guest writes 7 to that. */
  private void writeToSnapshotAndKill(TapDisk killed, String format, Path base, Path child)
      throws Exception {
    killed.open(OpenRequest.of(format + ":" + base));
    MemoryGuest guest = guest(killed);
    killed.pause();
    CreateOptions overlay =
        CreateOptions.overlay("qcow2", base.toString(), format.equals("aio") ? "raw" : format)
            .withReferences(ReferencePolicy.any());
    Images.create(child, overlay).close();
    killed.resume(ResumeRequest.of("qcow2:" + child));
    assertEquals(0, guest.write(0, 7));
    kill(killed, child);
  }

  /** A guest wrote this to the first sector, was answered, and its server was killed. */
  private void writeAndKill(Path image, int value) throws Exception {
    TapDisk killed = disk(0);
    killed.open(request(image));
    assertEquals(0, guest(killed).write(0, value));
    kill(killed, image);
    assertEquals(0, first(image), "it is in the log only");
  }

  private static int first(Path image) throws IOException {
    try (BlockDevice disk = Images.open(image, OpenOptions.readOnly().withFormat("qcow2"))) {
      return first(disk);
    }
  }

  private static int first(BlockDevice disk) throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(512);
    disk.read(sector, 0);
    return sector.get(0);
  }

  private List<Path> logs() throws IOException {
    return LeftFiles.logs(folder);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5})
  void itIsInTheImageWhenThatIsOpenedAndNoGuestComes(int minor) throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    TapDisk next = disk(minor);

    next.open(request(image));

    assertEquals(List.of(), logs());
    next.close(false);
    assertEquals(7, first(image));
  }

  @Test
  void aGuestWithANewRingReadsIt() throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    TapDisk next = disk(0);
    next.open(request(image));

    assertEquals(7, guest(next).read(0));
  }

  @Test
  void anotherImageOfTheSameMinorAndGuestIsLeftAloneAndLeavesItThere() throws Exception {
    Path image = image("image");
    Path other = image("other");
    writeAndKill(image, 7);
    TapDisk next = disk(0);
    next.open(request(other));
    assertEquals(0, guest(next).read(0));
    next.close(false);
    assertEquals(0, first(other));

    next.open(request(image));

    next.close(false);
    assertEquals(7, first(image));
  }

  @Test
  void anotherFileOfTheSameNameIsAnotherImage() throws Exception {
    Path image = image("image");
    Path other = image("other");
    writeAndKill(image, 7);
    Files.move(image, folder.resolve("old"));
    Files.move(other, image);

    disk(0).open(request(image));

    disks.get(1).close(false);
    assertEquals(0, first(image));
    assertEquals(1, logs().size());
  }

  @Test
  void anImageThatOthersChangedIsRefusedUntilTheLogIsGone() throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    Instant later = Instant.now().plus(KeptWrites.LONGEST_REQUEST).plusSeconds(1);
    Files.setLastModifiedTime(image, FileTime.from(later));
    TapDisk next = disk(0);

    DiskException thrown = assertThrows(DiskException.class, () -> next.open(request(image)));

    assertTrue(thrown.getMessage().startsWith("the image was changed at "), thrown.getMessage());
    assertTrue(thrown.getMessage().contains(logs().get(0).toString()), thrown.getMessage());
    assertEquals(0, first(image), "and it is closed");
    Files.delete(logs().get(0));
    next.open(request(image));
  }

  @Test
  void aDiskThatIsReadOnlyIsRefusedUntilItWasWritten() throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    TapDisk next = disk(0);

    DiskException thrown =
        assertThrows(DiskException.class, () -> next.open(request(image, OpenFlag.READ_ONLY)));

    assertTrue(thrown.getMessage().contains("open it for writing first"), thrown.getMessage());
    next.open(request(image));
    next.close(false);
    next.open(request(image, OpenFlag.READ_ONLY));
    assertEquals(7, guest(next).read(0));
  }

  @Test
  void ofSeveralLogsNoneIsWritten() throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    Path log = logs().get(0);
    Files.copy(log, log.resolveSibling(log.getFileName() + "0"));

    DiskException thrown = assertThrows(DiskException.class, () -> disk(0).open(request(image)));

    assertTrue(thrown.getMessage().contains("several logs"), thrown.getMessage());
    assertEquals(0, first(image));
    assertEquals(2, logs().size());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -2})
  void whatCannotBeWrittenOrMadeDurableStaysAndIsWrittenByWhoComesNext(long failsAt)
      throws Exception {
    Instant began = Instant.now().minus(Duration.ofHours(1));
    Path log = folder.resolve("writes-a.7");
    assertTrue(WriteLog.open(log, 7).add(512, sector(6)));
    assertTrue(WriteLog.open(log, 7).add(0, sector(7)));
    began(log, began);
    KeptWrites kept = new KeptWrites(folder.resolve("writes-a."));
    try (WatchedDisk disk = new WatchedDisk(MIB)) {
      disk.failsAt = failsAt;
      assertThrows(IOException.class, () -> kept.writeAgain(disk, false, began));
      assertTrue(kept.isAny());
      disk.failsAt = -1;

      kept.writeAgain(disk, false, Instant.now()); // it was this that changed the image

      assertEquals(7, first(disk));
      List<String> asked = disk.asked();
      assertEquals(
          List.of("write 512 512", "write 0 512", "flush -2 0", "read 0 512"),
          asked.subList(asked.size() - 4, asked.size()));
    }
    assertEquals(List.of(), logs());
  }

  private static void began(Path log, Instant time) throws IOException {
    try (FileChannel file = FileChannel.open(log, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      file.write(bytes.putLong(0, time.toEpochMilli()), 32);
    }
  }

  private static ByteBuffer sector(int value) {
    return ByteBuffer.allocate(512).put(0, (byte) value);
  }

  @Test
  void eachRequestTellsThatTheImageMayChangeFromNowOn() throws Exception {
    Path image = image("image");
    TapDisk disk = disk(0);
    disk.open(request(image));
    MemoryGuest guest = guest(disk);
    assertEquals(0, guest.write(0, 7));
    Path log = logs().get(0);
    Instant before = Instant.now().minusSeconds(1);
    began(log, Instant.EPOCH);

    assertEquals(7, guest.read(0));

    assertTrue(WriteLog.left(log).lastBeginning().isAfter(before));
  }

  @Test
  void whatIsWrittenAfterAPauseIsKeptForTheSameImage() throws Exception {
    Path image = image("image");
    TapDisk killed = disk(0);
    killed.open(request(image));
    MemoryGuest guest = guest(killed);
    killed.pause();
    killed.resume(ResumeRequest.SAME);
    assertEquals(0, guest.write(0, 7));
    kill(killed, image);

    disk(0).open(request(image));

    disks.get(1).close(false);
    assertEquals(7, first(image));
  }

  @Test
  void whatIsWrittenToASnapshotIsKeptForThatAndNotForItsBackingFile() throws Exception {
    Path base = image("base");
    Path child = folder.resolve("child");
    writeToSnapshotAndKill(disk(0), "qcow2", base, child);
    TapDisk next = disk(0);

    next.open(request(base));
    next.close(false);
    assertEquals(0, first(base));

    next.open(request(child));
    assertEquals(7, guest(next).read(0));
  }

  @Test
  void whoOpensTheImageDuringAPauseTakesNoLogAway() throws Exception {
    Path image = image("image");
    TapDisk paused = disk(0);
    paused.open(request(image));
    MemoryGuest guest = guest(paused);
    paused.pause();
    TapDisk other = disk(1);
    other.open(request(image));
    other.close(false);
    paused.resume(ResumeRequest.SAME);
    assertEquals(0, guest.write(0, 7));

    assertKept(paused, image);
  }

  @Test
  void aPausedDiskThatIsClosedTakesNoLogOfAnotherAway() throws Exception {
    Path image = image("image");
    TapDisk paused = disk(0);
    paused.open(request(image));
    guest(paused);
    paused.pause();
    TapDisk other = disk(1);
    other.open(request(image));
    assertEquals(0, guest(other).write(0, 7)); // the same guest: its log has the same name

    paused.close(false);

    assertKept(other, image);
  }

  /** Kills the disk's process; the image has what its guest wrote when it is opened again. */
  private void assertKept(TapDisk killed, Path image) throws Exception {
    kill(killed, image);
    assertEquals(0, first(image), "it is in the log only");
    TapDisk next = disk(2);
    next.open(request(image));
    next.close(false);
    assertEquals(7, first(image));
  }

  @Test
  void whoGoesOnAfterAPauseHasWhatAnotherAnsweredThatWasKilled() throws Exception {
    Path image = image("image");
    TapDisk paused = disk(0);
    paused.open(request(image));
    MemoryGuest guest = guest(paused);
    paused.pause();
    TapDisk killed = disk(1);
    killed.open(request(image));
    assertEquals(0, guest(killed, 8).write(0, 7));
    kill(killed, image);

    paused.resume(ResumeRequest.SAME);

    assertEquals(7, guest.read(0));
  }

  @Test
  void whoReadsTheFileAsItIsLeavesTheLog() throws Exception {
    Path image = image("image");
    writeAndKill(image, 7);
    TapDisk raw = disk(0);
    raw.open(OpenRequest.of("aio:" + image));
    raw.close(false);

    TapDisk next = disk(1);
    next.open(request(image));
    next.close(false);
    assertEquals(7, first(image));
  }

  @Test
  void aFlushMakesDurableWhatOtherGuestsOfTheDiskWrote() throws Exception {
    Path image = image("image");
    TapDisk killed = disk(0);
    killed.open(request(image));
    assertEquals(0, guest(killed, 7).write(0, 7));
    MemoryGuest second = guest(killed, 8);
    assertEquals(0, second.write(0, 8));
    assertEquals(0, second.flush());
    kill(killed, image);

    TapDisk next = disk(1);
    next.open(request(image));
    next.close(false);
    assertEquals(8, first(image));
  }

  @Test
  void whatIsWrittenToTheSnapshotOfARawDiskIsKept() throws Exception {
    Path base = folder.resolve("base");
    Path child = folder.resolve("child");
    Images.create(base, CreateOptions.of("raw", 8 * MIB)).close();
    writeToSnapshotAndKill(disk(0), "aio", base, child);
    TapDisk next = disk(0);

    next.open(request(child));

    assertEquals(7, guest(next).read(0));
  }

  /** Else who is killed between an opening and what it writes would have changed it. */
  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2", "vhd", "vhdx", "vmdk"})
  void anImageIsNotChangedByOpeningIt(String format) throws Exception {
    Path image = folder.resolve("image");
    Images.create(image, CreateOptions.of(format, 8 * MIB)).close();
    FileTime before = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
    Files.setLastModifiedTime(image, before);
    TapDisk disk = disk(0);

    disk.open(OpenRequest.of(format + ":" + image));

    assertEquals(before, Files.getLastModifiedTime(image));
  }
}
