package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCommit;
import io.vdisk.ImageCopy;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;

/** Commit and rebase of qcow2 end at any instant, and are run again. */
class ChainCrashTest {
  private static final int UNIT = 4096;
  private static final int SIZE = 64 * UNIT;
  private static final String OLD = "old";
  private static final String NEW = "new";

  private final long seed = Long.getLong("vdisk.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final CrashDisk disk = new CrashDisk();

  private static OpenOptions over(BlockDevice backing) {
    return OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS).withBacking(backing);
  }

  private static BlockDevice alone(HostFile file) throws IOException {
    return Images.open(file, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  private HostFile image(String name, long size, Optional<String> backing) throws IOException {
    HostFile file = disk.file(name);
    CreateOptions options =
        CreateOptions.of("qcow2", size)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", "4k");
    if (backing.isPresent()) {
      options = options.withBacking(backing.get(), "qcow2").withoutOpeningBacking();
    }
    Images.create(file, options).close();
    return file;
  }

  private void scatter(BlockDevice device) throws IOException {
    for (int i = 0; i < 12; i++) {
      byte[] bytes = new byte[1 + random.nextInt(3 * UNIT)];
      if (random.nextInt(4) > 0) {
        random.nextBytes(bytes);
      }
      device.write(ByteBuffer.wrap(bytes), random.nextInt((int) device.size() - bytes.length));
    }
  }

  private static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) device.size());
    device.read(all, 0);
    return all.array();
  }

  private static void assertSound(BlockDevice device, String when) throws IOException {
    assertEquals(
        0, device.feature(Checking.class).orElseThrow().check(Progress.NONE).errors(), when);
  }

  /** A cut after each change of a file; those that differ. */
  private interface Work {
    void run() throws IOException;
  }

  private List<CrashImage> cuts(Work work) throws IOException {
    List<CrashImage> cuts = new ArrayList<>();
    Set<Long> seen = new HashSet<>();
    disk.setHook(
        event -> {
          for (int i = 0; i < 16; i++) {
            CrashImage cut = disk.cut(random);
            if (seen.add(cut.hash())) {
              cuts.add(cut);
            }
          }
        });
    work.run();
    disk.setHook(event -> {});
    return cuts;
  }

  @RepeatedTest(5)
  void commitLosesNothing() throws IOException {
    HostFile baseFile = image("base", SIZE / 2, Optional.empty());
    HostFile topFile = image("top", SIZE, Optional.of("base"));
    byte[] content;
    try (BlockDevice base = alone(baseFile);
        BlockDevice top = Images.open(topFile, over(base))) {
      scatter(base);
      scatter(top);
      content = content(top);
    }

    List<CrashImage> cuts =
        cuts(
            () -> {
              try (BlockDevice base = alone(baseFile);
                  BlockDevice top = Images.open(topFile, over(base))) {
                ImageCopy.Result unused = ImageCommit.of(top, base).emptyingOverlay().run();
              }
            });

    for (CrashImage cut : cuts) {
      String when = "seed " + seed;
      try (BlockDevice base = alone(cut.files().get(0));
          BlockDevice top = Images.open(cut.files().get(1), over(base))) {
        assertArrayEquals(content, content(top), when);
        ImageCopy.Result unused = ImageCommit.of(top, base).emptyingOverlay().run();
        assertArrayEquals(content, content(base), when);
        assertArrayEquals(content, content(top), when);
        assertSound(base, when);
        assertSound(top, when);
      }
    }
    assertTrue(cuts.size() > 10, cuts.size() + " cuts");
  }

  @RepeatedTest(5)
  void rebaseLosesNothing() throws IOException {
    HostFile oldFile = image(OLD, SIZE / 2, Optional.empty());
    HostFile newFile = image(NEW, SIZE, Optional.empty());
    HostFile topFile = image("top", SIZE, Optional.of(OLD));
    byte[] content;
    try (BlockDevice old = alone(oldFile);
        BlockDevice other = alone(newFile);
        BlockDevice top = Images.open(topFile, over(old))) {
      scatter(old);
      scatter(other);
      scatter(top);
      content = content(top);
    }

    List<CrashImage> cuts =
        cuts(
            () -> {
              try (BlockDevice old = alone(oldFile);
                  BlockDevice other = alone(newFile);
                  BlockDevice top = Images.open(topFile, over(old))) {
                long unused = ImageRebase.of(top, other, NEW, Optional.of("qcow2")).run();
              }
            });

    for (CrashImage cut : cuts) {
      String when = "seed " + seed;
      try (BlockDevice old = alone(cut.files().get(0));
          BlockDevice other = alone(cut.files().get(1))) {
        BlockDevice named = isNew(cut.files().get(2)) ? other : old;
        try (BlockDevice top = Images.open(cut.files().get(2), over(named))) {
          assertArrayEquals(content, content(top), when);
          long unused = ImageRebase.of(top, other, NEW, Optional.of("qcow2")).run();
        }
        try (BlockDevice top = Images.open(cut.files().get(2), over(other))) {
          assertArrayEquals(content, content(top), when);
          assertSound(top, when);
        }
        assertTrue(isNew(cut.files().get(2)));
      }
    }
    assertTrue(cuts.size() > 10, cuts.size() + " cuts");
  }

  private static boolean isNew(HostFile top) throws IOException {
    OpenOptions options = OpenOptions.readOnly().withFormats(Qcow2Subject.FORMATS).withoutBacking();
    try (BlockDevice device = Images.open(top, options)) {
      return device.info().backing().orElseThrow().name().equals(NEW);
    }
  }
}
