package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashFile;
import io.vdisk.testkit.CrashImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The power fails in the middle of a change of the whole image: the disk is the old or the new one,
 * and the image sound. Cuts come at every host operation.
 */
class VhdAlterationCrashTest {
  private static final int MIB = 1 << 20;
  private static final int CUTS = 6;

  private final Disks disks = new Disks();
  private final Random random = new Random(Long.getLong("vdisk.seed", 1));
  private final Set<Long> seen = new HashSet<>();
  private final byte[] parent = Disks.random(3 * MIB, 1);
  private byte[] content = new byte[0];
  private CrashFile file = new CrashDisk().file("unused");

  @BeforeEach
  void makeParent() throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(parent.length))) {
      Disks.write(device, parent, 0);
    }
  }

  private CrashDisk make(boolean isChild, String... options) throws IOException {
    CrashDisk disk = new CrashDisk();
    file = disk.file("b.vhd");
    disks.put("b.vhd", file);
    content = isChild ? parent.clone() : new byte[parent.length];
    try (BlockDevice device =
        disks.create(
            "b.vhd",
            isChild
                ? disks.child("a.vhd", "vhd", options)
                : disks.creating(content.length, options))) {
      byte[] part = Disks.random(MIB, 2);
      Disks.write(device, part, 300_000);
      System.arraycopy(part, 0, content, 300_000, part.length);
    }
    return disk;
  }

  @ParameterizedTest
  @CsvSource({
    "false, block_size, 65536, 300",
    "false, block_size, 65536, 4",
    "false, xen, on, 9000",
    "true, block_size, 65536, 300",
    "true, xen, on, 9000",
    "false, block_size, 65536, 2",
  })
  void growingAndShrinkingCanBeCut(boolean isChild, String option, String value, int mib)
      throws IOException {
    CrashDisk disk = make(isChild, option, value);
    long size = (long) mib * MIB;
    cutting(
        disk,
        device -> device.feature(Resizing.class).orElseThrow().resize(size),
        device -> {
          assertTrue(device.size() == content.length || device.size() == size);
          int length = (int) Math.min(device.size(), content.length);
          assertArrayEquals(Arrays.copyOf(content, length), read(device, length));
        });
  }

  @Test
  void anotherParentCanBeCut() throws IOException {
    HostFile other = disks.file("a.vhd");
    disks.put("other, with a name that is rather longer.vhd", other);
    CrashDisk disk = make(true, "block_size", "65536");
    cutting(
        disk,
        device ->
            device
                .feature(BackingLink.class)
                .orElseThrow()
                .change(
                    Optional.of("other, with a name that is rather longer.vhd"),
                    Optional.of("vhd")),
        device -> assertArrayEquals(content, read(device, content.length)));
  }

  @Test
  void emptyingCanBeCut() throws IOException {
    CrashDisk disk = make(true, "block_size", "65536");
    cutting(
        disk,
        device -> device.feature(Emptying.class).orElseThrow().empty(),
        device -> {
          byte[] found = read(device, content.length);
          for (int at = 0; at < found.length; at += 65_536) {
            byte[] block = Arrays.copyOfRange(found, at, at + 65_536);
            assertTrue(
                Arrays.equals(block, Arrays.copyOfRange(content, at, at + 65_536))
                    || Arrays.equals(block, Arrays.copyOfRange(parent, at, at + 65_536)));
          }
        });
  }

  @Test
  void repairCanBeCutAndRunAgain() throws IOException {
    CrashDisk disk = make(false, "xen", "on");
    file.write(ByteBuffer.allocate(1), file.size() - 512);
    file.write(ByteBuffer.allocate(4), 512 + 36);
    file.write(ByteBuffer.allocate(512).putLong(-1), 2560);
    file.flush();
    disk.setHook(
        event -> {
          for (CrashImage image : cuts(disk)) {
            HostFile left = image.files().get(0);
            repair(left);
            assertSound(left);
            try (BlockDevice device = Images.open(left, disks.reading())) {
              assertArrayEquals(content, read(device, content.length));
            }
          }
        });
    repair(file);
    disk.setHook(event -> {});
    assertSound(file);
  }

  private void repair(HostFile image) throws IOException {
    try (BlockDevice device =
        Images.open(image, disks.reading().forRepair().withFormat("vhd").withoutBacking())) {
      CheckReport unused =
          device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
    }
  }

  private interface Step {
    void run(BlockDevice device) throws IOException;
  }

  private CrashImage[] cuts(CrashDisk disk) throws IOException {
    CrashImage[] images = new CrashImage[CUTS];
    for (int i = 0; i < CUTS; i++) {
      images[i] =
          i == 0 ? disk.cutLosingAll() : i == 1 ? disk.cutLosingNothing() : disk.cut(random);
    }
    return images;
  }

  private void cutting(CrashDisk disk, Step change, Step look) throws IOException {
    try (BlockDevice device = disks.write("b.vhd")) {
      disk.setHook(
          event -> {
            for (CrashImage image : cuts(disk)) {
              if (seen.add(image.hash())) {
                look(image.files().get(0), event + "", look);
              }
            }
          });
      change.run(device);
    } finally {
      disk.setHook(event -> {});
    }
    look(file, "the end", look);
    System.out.println(seen.size() + " distinct images");
  }

  private void look(HostFile image, String when, Step look) throws IOException {
    try {
      assertSound(image);
      try (BlockDevice device = Images.open(image, disks.reading())) {
        look.run(device);
      }
      // And it can be used further.
      try (BlockDevice device = Images.open(image, disks.reading().asReadWrite())) {
        Disks.write(device, new byte[100], device.size() - 100);
      }
      assertSound(image);
    } catch (IOException | AssertionError e) {
      throw new AssertionError(when + ": " + e, e);
    }
  }

  private void assertSound(HostFile image) throws IOException {
    try (BlockDevice device = Images.open(image, disks.reading().withoutBacking())) {
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertEquals(0, report.errors(), () -> report.findings().toString());
    }
  }

  private static byte[] read(BlockDevice device, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    device.read(bytes, 0);
    return bytes.array();
  }
}
