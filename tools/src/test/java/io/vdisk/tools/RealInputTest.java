package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.testkit.Requirements;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The main job on a real file system: ext4 of more than 1 GiB that holds the JDK's own folder. */
class RealInputTest {
  private static final String SIZE = "1100M";
  private static final int STEP = 1 << 20;
  private static final int CHANGES = 10_000;
  private static final long SEED = 1;

  private static final String ONE = "write -P 1 1M 3M";
  private static final String TWO = "write -P 2 900M 100k";
  private static final String THREE = "write -P 3 2M 5k";
  private static final String FOUR = "write -P 4 1000M 1M";

  @TempDir static Path shared;
  private static Path raw;

  @TempDir Path folder;

  @BeforeAll
  static void makeFileSystem() throws IOException {
    Requirements.need("qemu-img");
    Requirements.need("mke2fs");
    Requirements.need("e2fsck");
    raw = shared.resolve("fs.raw");
    run("qemu-img", "create", "-q", "-f", "raw", raw, SIZE);
    run("mke2fs", "-q", "-t", "ext4", "-d", System.getProperty("java.home"), raw);
  }

  private static String run(Object... command) throws IOException {
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertEquals(0, process.waitFor(), () -> String.join(" ", words) + ": " + output);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return output;
  }

  private static void vdisk(Object... command) {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8);
    Console console = new Console(InputStream.nullInputStream(), out, out, false, Map.of());
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    List<String> rest = words.subList(1, words.size());
    int exit =
        words.get(0).equals("img2qcow") ? Img2Qcow.run(rest, console) : Vdisk.run(words, console);
    assertEquals(0, exit, () -> words + ": " + shown);
  }

  private static void assertSame(Path content, Path image, String format) throws IOException {
    String same = run("qemu-img", "compare", "-f", "raw", "-F", format, content, image);
    assertTrue(same.contains("identical"), same);
  }

  /** QEMU has no check of qcow version 1; ours is asked for both. */
  private static void assertClean(Path image, String format) throws IOException {
    vdisk("check", "-f", format, image);
    if (format.equals("qcow2")) {
      assertTrue(run("qemu-img", "check", image).contains("No errors"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void img2qcowMakesAnImageThatQemuReadsTheSameAndThatComesBack(String format) throws IOException {
    Path image = folder.resolve("disk.img");
    vdisk("img2qcow", "--format", format, image, raw);
    assertSame(raw, image, format);
    assertClean(image, format);
    assertTrue(Files.size(image) < Files.size(raw) / 2, "not sparse: " + Files.size(image));

    Path back = folder.resolve("back.raw");
    vdisk("convert", "-f", format, "-O", "raw", image, back);
    assertEquals(-1, Files.mismatch(raw, back));
    run("e2fsck", "-fn", back);
  }

  @Test
  void compressedConversionIsNoLargerThanQemus() throws IOException {
    Path ours = folder.resolve("ours.qcow2");
    Path theirs = folder.resolve("theirs.qcow2");
    vdisk("convert", "-c", "-f", "raw", "-O", "qcow2", raw, ours);
    run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, theirs);
    assertSame(raw, ours, "qcow2");
    assertClean(ours, "qcow2");
    assertTrue(
        Files.size(ours) <= Files.size(theirs) * 1.02,
        Files.size(ours) + " bytes, QEMU's " + Files.size(theirs));
  }

  @ParameterizedTest
  @CsvSource({
    "qcow, ''",
    "qcow2, cluster_size=512",
    "qcow2, cluster_size=64k",
    "qcow2, cluster_size=2M",
    "qcow2, compressed"
  })
  void imagesOfQemuAreReadAndChanged(String format, String options) throws IOException {
    Path image = folder.resolve("image");
    List<Object> command = new ArrayList<>(List.of("qemu-img", "convert", "-f", "raw"));
    command.addAll(List.of("-O", format));
    if (options.equals("compressed")) {
      command.add("-c");
    } else if (!options.isEmpty()) {
      command.addAll(List.of("-o", options));
    }
    command.addAll(List.of(raw, image));
    run(command.toArray());
    assertReadsTheSame(raw, image, format);
    Path model = changeBoth(raw, image, format);
    assertSame(model, image, format);
    assertClean(image, format);
  }

  @ParameterizedTest
  @CsvSource({"raw, qcow2, qcow2", "qcow2, qcow, qcow2", "qcow, qcow2, qcow"})
  void chainsThreeDeepAreReadAndChanged(String base, String middle, String top) throws IOException {
    Path first = folder.resolve("base");
    Path second = folder.resolve("middle");
    Path third = folder.resolve("top");
    run("qemu-img", "convert", "-f", "raw", "-O", base, raw, first);
    run("qemu-img", "create", "-q", "-f", middle, "-b", first, "-F", base, second);
    run("qemu-io", "-f", middle, "-c", ONE, "-c", TWO, second);
    run("qemu-img", "create", "-q", "-f", top, "-b", second, "-F", middle, third);
    run("qemu-io", "-f", top, "-c", THREE, "-c", FOUR, third);
    Path content = folder.resolve("content.raw");
    run("qemu-img", "convert", "-f", "raw", "-O", "raw", raw, content);
    run("qemu-io", "-f", "raw", "-c", ONE, "-c", TWO, "-c", THREE, "-c", FOUR, content);
    assertReadsTheSame(content, third, top);
    Path model = changeBoth(content, third, top);
    assertSame(model, third, top);
    assertClean(third, top);
  }

  private static BlockDevice open(Path image, String format, boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(
        image, options.withFormat(format).withReferences(ReferencePolicy.sameDirectory()));
  }

  private static void assertReadsTheSame(Path content, Path image, String format)
      throws IOException {
    ByteBuffer ours = ByteBuffer.allocateDirect(STEP);
    ByteBuffer theirs = ByteBuffer.allocateDirect(STEP);
    try (BlockDevice device = open(image, format, false);
        BlockDevice model = open(content, "raw", false)) {
      assertEquals(model.size(), device.size());
      for (long at = 0; at < device.size(); at += STEP) {
        int length = (int) Math.min(STEP, device.size() - at);
        device.read(ours.clear().limit(length), at);
        model.read(theirs.clear().limit(length), at);
        assertEquals(-1, ours.flip().mismatch(theirs.flip()), "at " + at);
      }
    }
  }

  /** Writes, zeroes and discards through us to an image, and to a raw copy of its content. */
  private Path changeBoth(Path content, Path image, String format) throws IOException {
    Path copy = folder.resolve("model.raw");
    run("qemu-img", "convert", "-f", "raw", "-O", "raw", content, copy);
    Random random = new Random(SEED);
    ByteBuffer bytes = ByteBuffer.allocateDirect(64 << 10);
    try (BlockDevice device = open(image, format, true);
        BlockDevice model = open(copy, "raw", true)) {
      for (int i = 0; i < CHANGES; i++) {
        int length = 1 + random.nextInt(random.nextInt(8) == 0 ? bytes.capacity() : 5000);
        long at = random.nextLong(device.size() - length);
        bytes.clear().limit(length);
        switch (random.nextInt(8)) {
          case 0 -> {
            device.writeZeroes(at, length);
            model.writeZeroes(at, length);
          }
          case 1 -> {
            device.discard(at, length);
            device.read(bytes, at);
            model.write(bytes.flip(), at);
          }
          default -> {
            byte[] noise = new byte[length];
            random.nextBytes(noise);
            device.write(bytes.put(noise).flip(), at);
            model.write(bytes.rewind(), at);
          }
        }
        if (i % 1000 == 0) {
          device.flush();
        }
      }
    }
    return Files.move(copy, folder.resolve("changed.raw"), StandardCopyOption.REPLACE_EXISTING);
  }
}
