package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.PlainFormat;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * Everything that an image can be, in combinations that have every pair of values which the
 * specification allows: QEMU and we change the same image by turns, 200 times each, and after each
 * turn both read what an array of bytes holds and find nothing wrong.
 *
 * <p>The system property {@code vdisk.matrix.combinations} says how many (default 40), {@code
 * vdisk.seed} which.
 */
class Qcow2MatrixTest {
  private static final long SEED = Long.getLong("vdisk.seed", 1);
  private static final int COMBINATIONS = Integer.getInteger("vdisk.matrix.combinations", 40);
  private static final int TURNS = 4;
  private static final int OPERATIONS = 50;
  private static final int SECTOR = 512;
  private static final String SECRET = "secret,id=sec0,data=vdisk";
  private static final List<ImageFormat> FORMATS = List.of(new Qcow2Format(), new PlainFormat());

  @Property(tries = 100_000, generation = GenerationMode.EXHAUSTIVE, shrinking = ShrinkingMode.OFF)
  void bothSidesReadWhatEitherHasWritten(@ForAll("combinations") Combination combination)
      throws IOException {
    Requirements.need("qemu-img");
    Requirements.need("qemu-io");
    Path folder = Files.createTempDirectory("matrix");
    try {
      new Run(combination, folder).play();
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("seed " + SEED + ", " + combination + ": " + e, e);
    } finally {
      delete(folder);
    }
  }

  @Provide
  Arbitrary<Combination> combinations() {
    return Arbitraries.of(Combination.choose(COMBINATIONS, SEED));
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** One image and its history. */
  private static final class Run {
    private final Combination combination;
    private final Path folder;
    private final Path image;
    private final Random random;
    private final int cluster;
    private final byte[] disk;
    private final boolean isEncrypted;

    Run(Combination combination, Path folder) {
      this.combination = combination;
      this.folder = folder;
      this.image = folder.resolve("image.qcow2");
      this.random = new Random(SEED ^ combination.toString().hashCode());
      String size = combination.get("cluster_size");
      int unit = size.endsWith("M") ? 1 << 20 : size.endsWith("k") ? 1 << 10 : 1;
      this.cluster = Integer.parseInt(size.replaceAll("[kM]", "")) * unit;
      this.disk = new byte[Math.max(3 * cluster, 40 * Math.min(cluster, 65_536)) + 3 * SECTOR];
      this.isEncrypted = !combination.is("encryption", "none");
    }

    void play() throws IOException {
      create();
      for (int turn = 0; turn < TURNS; turn++) {
        if (turn % 2 == 0) {
          weChange();
          qemuChanges();
        } else {
          qemuChanges();
          weChange();
        }
      }
    }

    private void create() throws IOException {
      CreateOptions options =
          CreateOptions.of("qcow2", disk.length)
              .withFormats(FORMATS)
              .withSecrets(Samples.SECRETS)
              .withReferences(ReferencePolicy.sameDirectory());
      List<String> words = new ArrayList<>();
      for (String name : List.of("cluster_size", "refcount_bits", "compat", "extended_l2")) {
        add(words, name, combination.get(name));
      }
      if (combination.is("compression", "zstd")) {
        add(words, "compression_type", "zstd");
      }
      if (isEncrypted) {
        add(words, "encrypt.format", combination.get("encryption"));
      }
      if (combination.is("encryption", "luks")) {
        add(words, "encrypt.iter-time", "10");
      }
      if (!combination.is("data_file", "none")) {
        add(words, "data_file", folder.resolve("image.data").toString());
        add(words, "data_file_raw", combination.is("data_file", "raw") ? "on" : "off");
      }
      for (String word : words) {
        options = options.withOption(word.split("=")[0], word.split("=")[1]);
      }
      if (!combination.is("backing", "none")) {
        options = options.withBacking("below", combination.get("backing"));
        makeBacking();
      }
      try (HostFile file = LocalFile.create(image)) {
        CreateSession.create(file, options);
      }
    }

    private static void add(List<String> words, String name, String value) {
      words.add(name + "=" + value);
    }

    private void makeBacking() throws IOException {
      byte[] below = new byte[disk.length / 2 / SECTOR * SECTOR];
      random.nextBytes(below);
      Arrays.fill(below, below.length / 3, below.length / 2, (byte) 0);
      System.arraycopy(below, 0, disk, 0, below.length);
      Path raw = folder.resolve("below.raw");
      Files.write(raw, below);
      if (combination.is("backing", "raw")) {
        Files.move(raw, folder.resolve("below"));
      } else {
        Path file = folder.resolve("below");
        Qemu.succeed("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, file);
      }
    }

    private BlockDevice open(boolean writable) throws IOException {
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      return Images.open(
          image,
          options
              .withFormats(FORMATS)
              .withSecrets(Samples.SECRETS)
              .withReferences(ReferencePolicy.sameDirectory()));
    }

    private void weChange() throws IOException {
      try (BlockDevice device = open(true)) {
        for (int i = 0; i < OPERATIONS; i++) {
          change(device);
        }
        CheckReport report =
            device.feature(Checking.class).orElseThrow().check((done, total) -> true);
        assertTrue(report.isClean(), () -> "our check: " + report.findings());
      }
      compare();
    }

    private void change(BlockDevice device) throws IOException {
      int offset = random.nextInt(disk.length - 1);
      int most = Math.min(disk.length - offset, 3 * Math.min(cluster, 65_536));
      int length = 1 + random.nextInt(most);
      switch (random.nextInt(5)) {
        case 0 -> {
          device.writeZeroes(offset, length);
          Arrays.fill(disk, offset, offset + length, (byte) 0);
        }
        case 1 -> {
          device.discard(offset, length);
          device.read(ByteBuffer.wrap(disk, offset, length), offset);
        }
        case 2 -> {
          if (!combination.is("compression", "none")) {
            compress(device, offset / cluster * cluster);
          }
        }
        default -> {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          device.write(ByteBuffer.wrap(bytes), offset);
          System.arraycopy(bytes, 0, disk, offset, length);
        }
      }
    }

    private void compress(BlockDevice device, int offset) throws IOException {
      int inside = Math.min(cluster, disk.length - offset);
      byte[] unit = new byte[cluster];
      byte[] varied = new byte[Math.min(inside, 300)];
      random.nextBytes(varied);
      System.arraycopy(varied, 0, unit, 0, varied.length);
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      units.append(offset, ByteBuffer.wrap(unit), units.encode(ByteBuffer.wrap(unit)));
      System.arraycopy(unit, 0, disk, offset, inside);
    }

    private List<Object> named() {
      if (!isEncrypted) {
        return List.of("-f", "qcow2", image);
      }
      return List.of(
          "--object",
          SECRET,
          "--image-opts",
          "driver=qcow2,encrypt.key-secret=sec0,file.filename=" + image);
    }

    private void qemuChanges() throws IOException {
      List<String> changes = new ArrayList<>();
      for (int i = 0; i < OPERATIONS; i++) {
        changes.add(qemuChange());
      }
      qemuDoes(changes);
      boolean canDiscard = combination.is("compat", "1.1") || combination.is("backing", "none");
      if (!combination.is("compression", "none") && canDiscard) {
        qemuDoes(qemuCompressions());
      }
      compare();
      try (BlockDevice device = open(false)) {
        ByteBuffer all = ByteBuffer.allocate(disk.length);
        device.read(all, 0);
        assertArrayEquals(disk, all.array(), "what QEMU has written");
      }
    }

    private void qemuDoes(List<String> changes) throws IOException {
      List<Object> command = new ArrayList<>(List.of("qemu-io"));
      for (String change : changes) {
        command.addAll(List.of("-c", change));
      }
      command.addAll(named());
      String output = Qemu.succeed(command.toArray());
      assertFalse(output.contains("failed"), output);
    }

    private String qemuChange() {
      int offset = random.nextInt(disk.length / SECTOR) * SECTOR;
      int most = Math.min(disk.length - offset, 3 * Math.min(cluster, 65_536)) / SECTOR;
      int length = SECTOR * (1 + random.nextInt(most));
      if (random.nextInt(5) == 0) {
        Arrays.fill(disk, offset, offset + length, (byte) 0);
        return "write -z " + (random.nextBoolean() ? "-u " : "") + offset + " " + length;
      }
      int pattern = 1 + random.nextInt(255);
      Arrays.fill(disk, offset, offset + length, (byte) pattern);
      return "write -P " + pattern + " " + offset + " " + length;
    }

    /**
     * QEMU compresses into clusters that are not there, and into no others; and where compressed
     * data is discarded in the same process, 7.2 goes on writing into the freed cluster.
     */
    private List<String> qemuCompressions() {
      Set<Integer> starts = new LinkedHashSet<>();
      for (int i = 0; i < OPERATIONS / 5; i++) {
        starts.add(random.nextInt(disk.length / cluster) * cluster);
      }
      List<String> changes = new ArrayList<>();
      for (int start : starts) {
        changes.add("discard " + start + " " + cluster);
      }
      for (int start : starts) {
        int pattern = 1 + random.nextInt(255);
        Arrays.fill(disk, start, start + cluster, (byte) pattern);
        changes.add("write -c -P " + pattern + " " + start + " " + cluster);
      }
      return changes;
    }

    /** QEMU reads what it should, and finds nothing wrong. */
    private void compare() throws IOException {
      List<Object> check = new ArrayList<>(List.of("qemu-img", "check"));
      check.addAll(named());
      Qemu.succeed(check.toArray());
      Path raw = folder.resolve("disk.raw");
      Files.write(raw, disk);
      if (isEncrypted) {
        Qemu.succeed(
            "qemu-img",
            "compare",
            "--object",
            SECRET,
            "--image-opts",
            "driver=raw,file.filename=" + raw,
            "driver=qcow2,encrypt.key-secret=sec0,file.filename=" + image);
      } else {
        Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, image);
      }
      if (combination.is("data_file", "raw") && !isEncrypted) {
        byte[] data = Files.readAllBytes(folder.resolve("image.data"));
        assertArrayEquals(disk, Arrays.copyOf(data, disk.length), "the data file is the disk");
      }
    }
  }
}
