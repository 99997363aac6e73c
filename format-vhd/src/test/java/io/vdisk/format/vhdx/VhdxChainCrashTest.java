package io.vdisk.format.vhdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCommit;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.Checking;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A power cut at any host write or flush of a commit, a rebase or a flattening: the chain reads as
 * before, and what was cut short can be done again.
 */
@Timeout(600)
class VhdxChainCrashTest {
  private static final int SIZE = (3 << 20) + 512;
  private static final long SEED = Long.getLong("vdisk.seed", 20261201);

  private final CrashDisk disk = new CrashDisk();
  private final Random random = new Random(SEED);
  private final byte[] model = new byte[SIZE];
  private final Set<Long> seen = new HashSet<>();

  /** Gives one of some files by its name. */
  private static ReferencePolicy policy(List<HostFile> files) {
    return reference ->
        new Kept(
            Map.of("base", files.get(0), "child", files.get(1), "other", files.get(2))
                .get(reference.name()));
  }

  /** A file that whoever opened it cannot close. */
  private static final class Kept extends ForwardingFile {
    Kept(HostFile file) {
      super(file);
    }

    @Override
    public void close() {}
  }

  private static BlockDevice open(List<HostFile> files, int which, boolean writable)
      throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(
        files.get(which), options.withFormats(VhdxSubject.FORMATS).withReferences(policy(files)));
  }

  private List<HostFile> createChain() throws IOException {
    List<HostFile> files = List.of(disk.file("base"), disk.file("child"), disk.file("other"));
    for (int i : new int[] {0, 2}) {
      CreateSession.create(files.get(i), options(CreateOptions.of("vhdx", SIZE)));
    }
    try (BlockDevice base = open(files, 0, true)) {
      Disks.write(base, model, 12, random);
    }
    try (BlockDevice other = open(files, 2, true)) {
      Disks.write(other, new byte[SIZE], 12, random);
    }
    CreateSession.create(
        files.get(1),
        options(CreateOptions.overlay("vhdx", "base", "vhdx")).withReferences(policy(files)));
    try (BlockDevice child = open(files, 1, true)) {
      Disks.change(child, model, 10, random);
    }
    for (HostFile file : files) {
      file.flush();
    }
    return files;
  }

  private static CreateOptions options(CreateOptions options) {
    return options.withFormats(VhdxSubject.FORMATS).withOption("block_size", "1048576");
  }

  /** What is looked at after a power cut. */
  private interface Look {
    void at(List<HostFile> files) throws IOException;
  }

  private void cutEverywhere(Look look) {
    disk.setHook(
        event -> {
          for (CrashImage image :
              List.of(disk.cut(random), disk.cutLosingAll(), disk.cutLosingNothing())) {
            if (seen.add(image.hash())) {
              try {
                look.at(image.files());
              } catch (IOException | AssertionError e) {
                throw new AssertionError("seed " + SEED + ", " + event + ": " + e, e);
              }
            }
          }
        });
  }

  private static void assertSound(List<HostFile> files) throws IOException {
    for (HostFile file : files) {
      OpenOptions options =
          OpenOptions.readOnly().withFormats(VhdxSubject.FORMATS).withoutBacking();
      try (BlockDevice device = Images.open(file, options)) {
        assertEquals(
            List.of(),
            device.feature(Checking.class).orElseThrow().check((d, t) -> true).findings());
      }
    }
  }

  private static void commit(List<HostFile> files) throws IOException {
    try (BlockDevice base = open(files, 0, true);
        BlockDevice child =
            Images.open(
                files.get(1),
                OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS).withBacking(base))) {
      assertTrue(ImageCommit.of(child, base).emptyingOverlay().run().toString().length() > 0);
    }
  }

  @Test
  void commitThatWasCutShortRunsAgain() throws IOException {
    List<HostFile> files = createChain();
    cutEverywhere(
        left -> {
          assertSound(left);
          commit(left);
          try (BlockDevice base = open(left, 0, false);
              BlockDevice child = open(left, 1, false)) {
            assertArrayEquals(model, Disks.read(base));
            assertArrayEquals(model, Disks.read(child));
          }
        });
    commit(files);
    disk.setHook(event -> {});
    assertTrue(seen.size() > 20, seen.size() + " images");
  }

  @Test
  void rebaseThatWasCutShortLeavesTheDiskAsItWas() throws IOException {
    List<HostFile> files = createChain();
    cutEverywhere(
        left -> {
          assertSound(left);
          try (BlockDevice child = open(left, 1, true)) {
            assertArrayEquals(model, Disks.read(child));
          }
        });
    try (BlockDevice other = open(files, 2, false);
        BlockDevice child = open(files, 1, true)) {
      assertTrue(ImageRebase.of(child, other, "other", java.util.Optional.of("vhdx")).run() > 0);
    }
    disk.setHook(event -> {});
    assertTrue(seen.size() > 20, seen.size() + " images");
  }

  @Test
  void flatteningThatWasCutShortLeavesTheDiskAsItWas() throws IOException {
    List<HostFile> files = createChain();
    cutEverywhere(
        left -> {
          assertSound(left);
          try (BlockDevice child = open(left, 1, true)) {
            assertArrayEquals(model, Disks.read(child));
          }
        });
    try (BlockDevice child = open(files, 1, true)) {
      assertTrue(ImageRebase.flattening(child).run() > 0);
    }
    disk.setHook(event -> {});
    assertTrue(seen.size() > 20, seen.size() + " images");
    try (BlockDevice child = open(files, 1, false)) {
      assertEquals("dynamic", child.info().details().get("subformat"));
    }
  }
}
