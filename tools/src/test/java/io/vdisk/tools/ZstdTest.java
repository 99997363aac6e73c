package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** zstd is optional for the library; the tools have it. */
class ZstdTest {
  @TempDir Path folder;
  private Path raw = Path.of("raw");
  private Path image = Path.of("image");

  @BeforeEach
  void create() throws IOException {
    raw = folder.resolve("disk.raw");
    image = folder.resolve("disk.qcow2");
    byte[] disk = new byte[3 << 20];
    Random random = new Random(1);
    for (int i = 0; i < disk.length; i++) {
      disk[i] = (byte) random.nextInt(4);
    }
    Files.write(raw, disk);
  }

  /** How a process ended. */
  private record Ended(int exit, String output) {}

  private static Ended vdisk(boolean hasZstd, Object... words) throws Exception {
    String classPath =
        Stream.of("java.class.path", "jdk.module.path")
            .flatMap(name -> Stream.of(System.getProperty(name, "").split(File.pathSeparator)))
            .filter(entry -> !entry.isEmpty() && (hasZstd || !entry.contains("zstd-jni")))
            .collect(Collectors.joining(File.pathSeparator));
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> command =
        new ArrayList<>(List.of(java.toString(), "-cp", classPath, Vdisk.class.getName()));
    Arrays.stream(words).map(Object::toString).forEach(command::add);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }

  private Ended pack(int threads, Path target) throws Exception {
    return vdisk(
        true,
        "convert",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-c",
        "-m",
        threads,
        "-o",
        "compression_type=zstd",
        raw,
        target);
  }

  @Test
  void whatIsPackedDependsOnTheInputAloneAndComesBack() throws Exception {
    assertEquals(0, pack(1, image).exit());
    Path other = folder.resolve("other.qcow2");
    assertEquals(0, pack(4, other).exit());
    assertArrayEquals(Files.readAllBytes(image), Files.readAllBytes(other));
    assertTrue(Files.size(image) < Files.size(raw) / 2, "it is compressed");
    Path back = folder.resolve("back.raw");
    assertEquals(0, vdisk(true, "convert", "-O", "raw", image, back).exit());
    assertArrayEquals(Files.readAllBytes(raw), Files.readAllBytes(back));
  }

  @Test
  void withoutTheLibraryTheRefusalNamesIt() throws Exception {
    assertEquals(0, pack(1, image).exit());
    Path back = folder.resolve("back.raw");
    Ended reading = vdisk(false, "convert", "-O", "raw", image, back);
    assertEquals(1, reading.exit());
    assertTrue(reading.output().contains("com.github.luben:zstd-jni"), reading.output());
    Ended making =
        vdisk(
            false,
            "create",
            "-f",
            "qcow2",
            "-o",
            "compression_type=zstd",
            folder.resolve("new.qcow2"),
            "1M");
    assertEquals(1, making.exit());
    assertTrue(making.output().contains("com.github.luben:zstd-jni"), making.output());
    assertFalse(Files.exists(folder.resolve("new.qcow2")));
  }
}
