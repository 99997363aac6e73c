package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The saved state of a machine lies behind its snapshot's disk: it is kept, counted, and freed. */
class Qcow2VmStateTest {
  /** Whole L1 entries, with clusters of 512 bytes. */
  private static final int DISK = 256 << 10;

  private static final int STATE = 64 << 10;

  private final byte[] disk = new byte[DISK];
  @TempDir Path folder;
  private Path image = Path.of("image");

  /** As a machine leaves it: made of a larger disk whose end is then called state. */
  @BeforeEach
  void create() throws IOException {
    image = folder.resolve("image.qcow2");
    new Random(1).nextBytes(disk);
    CreateOptions options =
        CreateOptions.of("qcow2", DISK + STATE)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", "512");
    try (BlockDevice device = Images.create(image, options)) {
      device.write(ByteBuffer.wrap(disk), 0);
      device.write(ByteBuffer.wrap(disk, 0, STATE), DISK);
      Snapshots.Snapshot unused = snapshots(device).create("saved");
      device.feature(Resizing.class).orElseThrow().resize(DISK);
    }
    try (HostFile file = LocalFile.open(image, true)) {
      Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
      ByteBuffer sizes = ByteBuffer.allocate(16).putLong(STATE).putLong(DISK).flip();
      file.write(sizes, header.snapshotsOffset + SnapshotEntry.FIXED);
    }
  }

  private static Snapshots snapshots(BlockDevice device) {
    return device.feature(Snapshots.class).orElseThrow();
  }

  private BlockDevice open() throws IOException {
    return Images.open(image, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  private static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) device.size());
    device.read(all, 0);
    return all.array();
  }

  private void assertSound(BlockDevice device) throws IOException {
    assertTrue(device.feature(Checking.class).orElseThrow().check((d, t) -> true).isClean());
  }

  @Test
  void stateIsToldAndCountedAndNotPartOfTheDisk() throws IOException {
    try (BlockDevice device = open()) {
      Snapshots.Snapshot saved = snapshots(device).list().get(0);
      assertEquals(STATE, saved.vmStateBytes());
      assertEquals(DISK, saved.virtualSize());
      assertSound(device);
      try (BlockDevice view = snapshots(device).open(saved)) {
        assertArrayEquals(disk, content(view));
      }
    }
    Requirements.need("qemu-img");
    Qemu.check(image);
    assertTrue(Qemu.succeed("qemu-img", "snapshot", "-l", image).contains("64 KiB"));
  }

  @Test
  void stateSurvivesOtherSnapshotsAndItsOwnReturn() throws IOException {
    try (BlockDevice device = open()) {
      Snapshots snapshots = snapshots(device);
      Snapshots.Snapshot saved = snapshots.list().get(0);
      device.write(ByteBuffer.wrap(new byte[DISK]), 0);
      Snapshots.Snapshot other = snapshots.create("other");
      snapshots.apply(saved);
      assertArrayEquals(disk, content(device));
      snapshots.delete(other);
      assertEquals(STATE, snapshots.list().get(0).vmStateBytes());
      assertSound(device);
    }
    Requirements.need("qemu-img");
    Qemu.check(image);
  }

  @Test
  void stateGoesWithItsSnapshotAndLeavesNoLeak() throws IOException {
    try (BlockDevice device = open()) {
      snapshots(device).delete(snapshots(device).list().get(0));
      assertArrayEquals(disk, content(device));
      assertSound(device);
    }
    Requirements.need("qemu-img");
    Qemu.check(image);
  }

  /** What QEMU's snapshots leave behind the disk does not show when the disk grows. */
  @Test
  void grownDiskDoesNotShowTheState() throws IOException {
    try (BlockDevice device = open()) {
      snapshots(device).apply(snapshots(device).list().get(0));
      device.feature(Resizing.class).orElseThrow().resize(DISK + STATE);
      byte[] grown = content(device);
      for (int i = DISK; i < grown.length; i++) {
        assertEquals(0, grown[i], "byte " + i);
      }
      assertSound(device);
    }
    Requirements.need("qemu-img");
    Qemu.check(image);
  }
}
