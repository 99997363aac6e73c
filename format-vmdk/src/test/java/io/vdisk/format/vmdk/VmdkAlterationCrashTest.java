package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCommit;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.CrashImage;
import io.vdisk.testkit.FaultPlan;
import io.vdisk.testkit.HostOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails in the middle of a change of the whole image: the disk is the old or the new one,
 * and the image sound. Cuts come at every host operation.
 */
class VmdkAlterationCrashTest {
  private static final int SIZE = (1 << 20) + 512 * 3;
  private static final int CUTS = 6;
  private static final int GRAIN = 65_536;
  private static final String OTHER = "other, with a name that is rather longer.vmdk";

  private final Random random = new Random(Long.getLong("vdisk.seed", 1));
  private final Set<Long> seen = new HashSet<>();
  private final byte[] parent = bytes(SIZE);

  /** What lies below, and is not cut. */
  private final Map<String, HostFile> below = new LinkedHashMap<>();

  /** The names of the image's files, in the order of their creation. */
  private final List<String> names = List.of("child.vmdk", "child-extent.vmdk");

  private final CrashDisk disk = new CrashDisk();
  private byte[] content = new byte[0];

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @BeforeEach
  void makeParents() throws IOException {
    for (String name : List.of("base.vmdk", OTHER)) {
      below.put(name, new MemoryFile(name));
      CreateOptions creation = CreateOptions.of("vmdk", SIZE).withFormats(VmdkSubject.FORMATS);
      try (BlockDevice device = Images.create(kept(below.get(name)), creation)) {
        device.write(ByteBuffer.wrap(parent), 0);
      }
    }
  }

  private static HostFile kept(HostFile file) {
    return new ForwardingFile(file) {
      @Override
      public void close() {}
    };
  }

  /** The two files of an image, and what lies below it. */
  private OpenOptions opening(List<HostFile> files, boolean isWritten) {
    OpenOptions options = isWritten ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return options.withFormats(VmdkSubject.FORMATS).withReferences(policy(files));
  }

  private ReferencePolicy policy(List<HostFile> files) {
    return new ReferencePolicy() {
      @Override
      public HostFile open(Reference reference) {
        HostFile file = below.get(reference.name());
        return kept(file == null ? files.get(1) : file);
      }

      @Override
      public HostFile create(Reference reference) {
        return kept(files.get(1));
      }
    };
  }

  private List<HostFile> files() {
    return names.stream().<HostFile>map(disk::file).toList();
  }

  private void make(boolean isChild, String subformat) throws IOException {
    List<HostFile> files = files();
    CreateOptions creation =
        isChild
            ? CreateOptions.overlay("vmdk", "base.vmdk", "vmdk")
            : CreateOptions.of("vmdk", SIZE);
    CreateSession.create(
        kept(files.get(0)),
        creation
            .withFormats(VmdkSubject.FORMATS)
            .withReferences(policy(files))
            .withOption("subformat", subformat));
    content = isChild ? parent.clone() : new byte[SIZE];
    byte[] part = bytes(SIZE / 3);
    System.arraycopy(part, 0, content, 200_000, part.length);
    try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, true))) {
      device.write(ByteBuffer.wrap(part), 200_000);
    }
  }

  /** A longer text, as VMware's are: what follows the extents lies in other sectors. */
  private void lengthen(int bytes) throws IOException {
    HostFile file = files().get(0);
    boolean isEmbedded = VmdkImage.descriptorOf(file).isPresent() && file.size() > 20_000;
    DescriptorPlace place =
        isEmbedded
            ? DescriptorPlace.in(file, SparseHeader.read(file))
            : DescriptorPlace.ofFile(file);
    String text = place.read().toString();
    String longer = text.replaceFirst("version=1\n", "version=1\n#" + "x".repeat(bytes) + "\n");
    file.write(ByteBuffer.wrap(longer.getBytes(StandardCharsets.ISO_8859_1)), place.offset());
    file.flush();
  }

  private interface Step {
    void run(BlockDevice device) throws IOException;
  }

  private void cutting(Step change, Step look) throws IOException {
    List<HostFile> files = files();
    try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, true))) {
      disk.setHook(
          event -> {
            for (int i = 0; i < CUTS; i++) {
              CrashImage image =
                  i == 0
                      ? disk.cutLosingAll()
                      : i == 1 ? disk.cutLosingNothing() : disk.cut(random);
              if (seen.add(image.hash())) {
                look(image.files(), event + "", look);
              }
            }
          });
      change.run(device);
    } finally {
      disk.setHook(event -> {});
    }
    look(files, "the end", look);
    assertTrue(seen.size() > 1, "only " + seen.size() + " images");
  }

  private void look(List<HostFile> files, String when, Step look) throws IOException {
    try {
      try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, false))) {
        assertSound(device);
        look.run(device);
      }
      // And it can be used further.
      if (!when.equals("the end")) {
        try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, true))) {
          device.write(ByteBuffer.wrap(new byte[100]), device.size() - 100);
          assertSound(device);
        }
      }
    } catch (IOException | AssertionError e) {
      throw new AssertionError(when + ": " + e, e);
    }
  }

  private static void assertSound(BlockDevice device) throws IOException {
    CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
    assertEquals(0, report.errors(), () -> report.findings().toString());
  }

  private static byte[] read(BlockDevice device, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    device.read(bytes, 0);
    return bytes.array();
  }

  @ParameterizedTest
  @CsvSource({"monolithicSparse, 0", "monolithicSparse, 330", "vmfsSparse, 0", "vmfsSparse, 410"})
  void anotherParentCanBeCut(String subformat, int comment) throws IOException {
    make(true, subformat);
    lengthen(comment);
    cutting(
        device ->
            device
                .feature(BackingLink.class)
                .orElseThrow()
                .change(Optional.of(OTHER), Optional.of("vmdk")),
        device -> assertArrayEquals(content, read(device, SIZE)));
    cutting(
        device ->
            device
                .feature(BackingLink.class)
                .orElseThrow()
                .change(Optional.of("base.vmdk"), Optional.of("vmdk")),
        device -> assertArrayEquals(content, read(device, SIZE)));
  }

  @ParameterizedTest
  @CsvSource({"monolithicSparse, 0", "monolithicSparse, 330", "vmfsSparse, 410"})
  void goodbyeToTheParentCanBeCut(String subformat, int comment) throws IOException {
    make(true, subformat);
    lengthen(comment);
    byte[] alone = new byte[SIZE];
    try (BlockDevice device =
        Images.open(kept(files().get(0)), opening(files(), false).withBacking(Images.ram(SIZE)))) {
      device.read(ByteBuffer.wrap(alone), 0);
    }
    cutting(
        device ->
            device
                .feature(BackingLink.class)
                .orElseThrow()
                .change(Optional.empty(), Optional.empty()),
        device ->
            assertArrayEquals(
                device.info().backing().isPresent() ? content : alone, read(device, SIZE)));
  }

  @ParameterizedTest
  @CsvSource({"9000, 0", "9000, 330", "300, 250", "3000000, 300", "11, 0", "11, 330"})
  void growingAndShrinkingCanBeCut(long sectors, int comment) throws IOException {
    make(false, "monolithicFlat");
    lengthen(comment);
    long size = sectors * 512;
    cutting(
        device -> device.feature(Resizing.class).orElseThrow().resize(size),
        device -> {
          assertTrue(device.size() == SIZE || device.size() == size, "size " + device.size());
          int length = (int) Math.min(device.size(), SIZE);
          assertArrayEquals(Arrays.copyOf(content, length), read(device, length));
        });
  }

  /** Whoever was cut off while a disk grew tries again. */
  @Test
  void growingThatWasCutCanBeDoneAgain() throws IOException {
    make(false, "monolithicFlat");
    List<HostFile> files = files();
    files.get(1).resize(9000 * 512);
    files.get(1).flush();
    try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, true))) {
      device.feature(Resizing.class).orElseThrow().resize(8000 * 512);
    }
    try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, false))) {
      assertEquals(8000 * 512, device.size());
      assertEquals(8000 * 512, files.get(1).size());
      assertArrayEquals(Arrays.copyOf(content, 8000 * 512), read(device, 8000 * 512));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"monolithicSparse", "vmfsSparse"})
  void emptyingCanBeCut(String subformat) throws IOException {
    make(true, subformat);
    cutting(
        device -> device.feature(Emptying.class).orElseThrow().empty(),
        device -> {
          byte[] found = read(device, SIZE);
          int unit = subformat.equals("vmfsSparse") ? 512 : GRAIN;
          for (int at = 0; at < found.length; at += unit) {
            int end = Math.min(at + unit, found.length);
            assertTrue(
                Arrays.equals(found, at, end, content, at, end)
                    || Arrays.equals(found, at, end, parent, at, end),
                "grain at " + at);
          }
        });
  }

  /** Grains move into gaps; whoever was cut off meanwhile repairs again. */
  @ParameterizedTest
  @ValueSource(strings = {"monolithicSparse", "vmfsSparse"})
  void repairThatGivesSpaceBackCanBeCutAndRunAgain(String subformat) throws IOException {
    make(false, subformat);
    try (BlockDevice device = Images.open(kept(files().get(0)), opening(files(), true))) {
      for (int grain : new int[] {4, 5, 7}) {
        device.discard(grain * GRAIN, GRAIN);
        Arrays.fill(content, grain * GRAIN, (grain + 1) * GRAIN, (byte) 0);
      }
    }
    assertTrue(leaks(files()) >= 3);
    cutting(
        device -> repair(device, Repairing.Scope.LEAKS),
        device -> assertArrayEquals(content, read(device, SIZE)));
    assertEquals(0, leaks(files()));
    HostFile extent = files().get(subformat.equals("vmfsSparse") ? 1 : 0);
    assertTrue(extent.size() < SIZE / 3 + 200_000 - 2 * GRAIN, "" + extent.size());
  }

  private static void repair(BlockDevice device, Repairing.Scope scope) throws IOException {
    CheckReport report = device.feature(Repairing.class).orElseThrow().repair(scope, Progress.NONE);
    assertEquals(report.leaks(), report.leaksFixed());
  }

  private long leaks(List<HostFile> files) throws IOException {
    try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, false))) {
      return device.feature(Checking.class).orElseThrow().check(Progress.NONE).leaks();
    }
  }

  /** What was committed stays what is seen, wherever the child is cut while it is emptied. */
  @ParameterizedTest
  @ValueSource(strings = {"monolithicSparse", "vmfsSparse"})
  void emptyingAfterACommitCanBeCut(String subformat) throws IOException {
    make(true, subformat);
    lengthen(330);
    List<HostFile> files = files();
    try (BlockDevice base =
        Images.open(
            kept(below.get("base.vmdk")),
            OpenOptions.readWrite().withFormats(VmdkSubject.FORMATS))) {
      try (BlockDevice child =
          Images.open(kept(files.get(0)), opening(files, true).withBacking(base))) {
        var unused = ImageCommit.of(child, base).run();
        disk.setHook(
            event -> {
              for (int i = 0; i < CUTS; i++) {
                List<HostFile> left = (i == 0 ? disk.cutLosingAll() : disk.cut(random)).files();
                try (BlockDevice device =
                    Images.open(kept(left.get(0)), opening(left, false).withBacking(base))) {
                  assertArrayEquals(content, read(device, SIZE), () -> "" + event);
                }
              }
            });
        child.feature(Emptying.class).orElseThrow().empty();
        disk.setHook(event -> {});
      }
    }
    try (BlockDevice child = Images.open(kept(files.get(0)), opening(files, false))) {
      assertArrayEquals(content, read(child, SIZE));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 410})
  void changeThatTheHostRefusedCanBeTriedAgain(int comment) throws IOException {
    make(true, "vmfsSparse");
    lengthen(comment);
    failing(
        device ->
            device
                .feature(BackingLink.class)
                .orElseThrow()
                .change(Optional.of(OTHER), Optional.of("vmdk")));
  }

  /** The CID changes first, and does so by way of several texts where it lies in two sectors. */
  @ParameterizedTest
  @ValueSource(ints = {0, 455})
  void writeThatTheHostRefusedCanBeTriedAgain(int comment) throws IOException {
    make(true, "vmfsSparse");
    lengthen(comment);
    failing(device -> device.write(ByteBuffer.wrap(content, 0, 100), 0));
  }

  /**
   * A write or a resize fails, and one of the next try: nothing is lost, and the third succeeds.
   */
  private void failing(Step change) throws IOException {
    int failures = 0;
    for (long failing = 0; failures == failing; failing++) {
      List<HostFile> copies = disk.cutLosingNothing().files();
      FaultPlan plan =
          new FaultPlan(EnumSet.of(HostOperation.WRITE, HostOperation.RESIZE), failing);
      List<HostFile> files = copies.stream().<HostFile>map(plan::on).toList();
      plan.failOnce(failing);
      try (BlockDevice device = Images.open(kept(files.get(0)), opening(files, true))) {
        if (!isDone(change, device, copies)) {
          failures++;
          plan.failOnce(plan.count() + 1);
          boolean isDone = isDone(change, device, copies);
          assertTrue(isDone || isDone(change, device, copies));
        }
        plan.pause();
        assertArrayEquals(content, read(device, SIZE));
      }
      try (BlockDevice left = Images.open(kept(copies.get(0)), opening(copies, false))) {
        assertArrayEquals(content, read(left, SIZE));
      }
    }
    assertTrue(failures > 1, failures + " failures");
  }

  /** Does it, or sees that its failure leaves the disk as it is. */
  private boolean isDone(Step change, BlockDevice device, List<HostFile> files) throws IOException {
    try {
      change.run(device);
      return true;
    } catch (IOException e) {
      try (BlockDevice left = Images.open(kept(files.get(0)), opening(files, false))) {
        assertArrayEquals(content, read(left, SIZE));
      }
      return false;
    }
  }
}
