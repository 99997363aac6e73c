package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import io.vdisk.testkit.Programs;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images that a power cut left at any host write or flush: the log replayed by us, shown by us
 * without writing, and replayed by {@code qemu-img check -r all} on a copy, leave one disk. The
 * system property {@code vdisk.log.images} says how many are looked at.
 */
@Timeout(3600)
class VhdxLogAgreementTest {
  private static final int IMAGES = Integer.getInteger("vdisk.log.images", 60);
  private static final long SEED = Long.getLong("vdisk.seed", 20261128);
  private static final int SIZE = (4 << 20) + 512;

  @TempDir Path folder;
  private Programs programs;
  private final Set<Long> seen = new HashSet<>();

  /** Images whose log had something that was not in place. */
  private int replayed;

  @Test
  void qemuReplaysTheLogToTheDiskThatWeSee() throws Exception {
    Requirements.need("qemu-img");
    programs = new Programs(folder);
    for (int history = 0; seen.size() < IMAGES; history++) {
      assertTrue(history < 4 * IMAGES, "too few distinct images");
      play(new Random(SEED + history), Math.max(4, IMAGES / 10));
    }
    System.out.printf(
        "%d distinct images, %d with a log to replay, seed %d%n", seen.size(), replayed, SEED);
    assertTrue(replayed > IMAGES / 20, replayed + " images had anything to replay");
  }

  private void play(Random random, int cuts) throws Exception {
    CrashDisk disk = new CrashDisk();
    HostFile file = disk.file("image");
    CreateSession.create(
        file,
        CreateOptions.of("vhdx", SIZE)
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576"));
    file.flush();
    int[] left = {cuts};
    disk.setHook(
        event -> {
          if (left[0] > 0 && seen.size() < IMAGES && random.nextInt(12) == 0) {
            left[0]--;
            look(random.nextBoolean() ? disk.cut(random) : disk.cutLosingAll());
          }
        });
    try (BlockDevice device =
        Images.open(file, OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS))) {
      byte[] model = new byte[SIZE];
      for (int i = 0; i < 12; i++) {
        Disks.change(device, model, 2, random);
        device.flush();
      }
    } finally {
      disk.setHook(event -> {});
    }
  }

  private void look(CrashImage image) throws IOException {
    if (!seen.add(image.hash())) {
      return;
    }
    try {
      Path ours = copy(image.files().get(0), "ours.vhdx");
      Path theirs = Files.copy(ours, folder.resolve("theirs.vhdx"));
      byte[] shown = Disks.read(ours);
      try (BlockDevice device = Disks.open(ours, true)) {
        assertArrayEquals(shown, Disks.read(device), "replayed by us");
      }
      assertArrayEquals(shown, Disks.read(ours), "after our replay");
      if (Files.mismatch(ours, theirs) >= 0) {
        replayed++;
      }
      Path twice = Files.copy(ours, folder.resolve("twice.vhdx"));
      Disks.open(twice, true).close();
      assertEquals(-1, Files.mismatch(ours, twice), "a replayed image has nothing to replay");
      String unused = programs.img("check", "-f", "vhdx", "-r", "all", "theirs.vhdx");
      programs.img("convert", "-f", "vhdx", "-O", "raw", "theirs.vhdx", "theirs.raw");
      assertArrayEquals(shown, Files.readAllBytes(folder.resolve("theirs.raw")), "by QEMU");
      assertArrayEquals(shown, Disks.read(theirs), "after QEMU's replay");
      for (Path path : new Path[] {ours, theirs, twice, folder.resolve("theirs.raw")}) {
        Files.delete(path);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private Path copy(HostFile image, String name) throws IOException {
    Path path = folder.resolve(name);
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(image.size()));
      image.readFully(bytes, 0);
      bytes.flip();
      while (bytes.hasRemaining()) {
        int unused = channel.write(bytes);
      }
    }
    return path;
  }
}
