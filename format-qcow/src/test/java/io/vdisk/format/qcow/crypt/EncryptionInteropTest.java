package io.vdisk.format.qcow.crypt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.Secrets;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.KeySlots;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU enciphers we read, and the reverse, in one image by turns. */
@Timeout(300)
class EncryptionInteropTest {
  private static final int SIZE = (3 << 20) + 1536;
  private static final long SEED = 20261125;
  private static final String SECRET = "secret,id=sec0,data=vdisk";
  private static final Secrets SECRETS =
      (file, purpose) -> Optional.of("vdisk".getBytes(StandardCharsets.US_ASCII));

  @TempDir Path folder;
  private final Random random = new Random(SEED);
  private final byte[] model = new byte[SIZE];

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
    Requirements.need("qemu-io");
  }

  /**
   * How a program ended.
   *
   * @param output what it printed, errors included
   */
  private record Ended(int exit, String output) {}

  private static String run(Object... command) throws IOException, InterruptedException {
    Ended ended = end(command);
    assertEquals(0, ended.exit, () -> List.of(command) + ": " + ended.output);
    return ended.output;
  }

  private static Ended end(Object... command) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output);
  }

  private Path image() {
    return folder.resolve("image");
  }

  private String imageOptions(String format) {
    return "driver=" + format + ",encrypt.key-secret=sec0,file.filename=" + image();
  }

  private void qemuMakes(String format, String options) throws Exception {
    String all = options + ",encrypt.key-secret=sec0";
    Ended ended = null;
    for (int i = 0; i < 50; i++) {
      ended = end("qemu-img", "create", "--object", SECRET, "-f", format, "-o", all, image(), SIZE);
      // It measures its CPU time and gives up where that did not move.
      if (!ended.output.contains("Unable to get accurate CPU usage")) {
        break;
      }
    }
    assertEquals(0, ended.exit, ended.output);
  }

  private void qemuWrites(String format) throws Exception {
    List<Object> command = new ArrayList<>(List.of("qemu-io", "--object", SECRET));
    command.addAll(List.of("--image-opts", imageOptions(format)));
    for (int i = 0; i < 30; i++) {
      int length = 512 * (1 + random.nextInt(200));
      int at = 512 * random.nextInt((SIZE - length) / 512 + 1);
      int pattern = 1 + random.nextInt(255);
      java.util.Arrays.fill(model, at, at + length, (byte) pattern);
      command.addAll(List.of("-c", "write -P " + pattern + " " + at + " " + length));
    }
    String output = run(command.toArray());
    assertTrue(!output.contains("failed"), output);
  }

  private void qemuReads(String format) throws Exception {
    Path raw = folder.resolve("raw");
    Files.deleteIfExists(raw);
    run(
        "qemu-img",
        "convert",
        "--object",
        SECRET,
        "--image-opts",
        imageOptions(format),
        "-O",
        "raw",
        raw);
    assertArrayEquals(model, Files.readAllBytes(raw));
    if (format.equals("qcow2")) {
      run("qemu-img", "check", "--object", SECRET, "--image-opts", imageOptions(format));
    }
  }

  private void weMake(String format, String options) throws IOException {
    CreateOptions create = CreateOptions.of(format, SIZE).withSecrets(SECRETS);
    for (String option : options.split(",")) {
      int equals = option.indexOf('=');
      create = create.withOption(option.substring(0, equals), option.substring(equals + 1));
    }
    Images.create(image(), create).close();
  }

  private void weWrite() throws IOException {
    try (BlockDevice device = Images.open(image(), OpenOptions.readWrite().withSecrets(SECRETS))) {
      for (int i = 0; i < 60; i++) {
        byte[] bytes = new byte[1 + random.nextInt(70_000)];
        random.nextBytes(bytes);
        int at = random.nextInt(SIZE - bytes.length + 1);
        System.arraycopy(bytes, 0, model, at, bytes.length);
        device.write(ByteBuffer.wrap(bytes), at);
      }
      device.writeZeroes(100_000, 300_000);
      java.util.Arrays.fill(model, 100_000, 400_000, (byte) 0);
    }
  }

  private void weRead() throws IOException {
    try (BlockDevice device = Images.open(image(), OpenOptions.readOnly().withSecrets(SECRETS))) {
      ByteBuffer all = ByteBuffer.allocate(SIZE);
      device.read(all, 0);
      assertArrayEquals(model, all.array());
      CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
      assertTrue(report.isClean(), () -> report.findings().toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qcow encrypt.format=aes",
        "qcow2 encrypt.format=aes",
        "qcow2 encrypt.format=aes,cluster_size=512,compat=0.10",
        "qcow2 encrypt.format=luks,encrypt.iter-time=20",
        "qcow2 encrypt.format=luks,encrypt.iter-time=20,cluster_size=512,compat=0.10",
        "qcow2 encrypt.format=luks,encrypt.iter-time=20,encrypt.cipher-alg=aes-128,"
            + "encrypt.ivgen-alg=plain,encrypt.hash-alg=sha512,cluster_size=2M",
        "qcow2 encrypt.format=luks,encrypt.iter-time=20,encrypt.cipher-mode=cbc,"
            + "encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256,encrypt.hash-alg=sha1",
        "qcow2 encrypt.format=luks,encrypt.iter-time=20,encrypt.cipher-alg=aes-128,"
            + "encrypt.cipher-mode=cbc,encrypt.ivgen-alg=plain64,cluster_size=4k",
      })
  void imageIsReadAndWrittenByBothWhoeverMadeIt(String kind) throws Exception {
    String[] words = kind.split(" ");
    for (boolean ours : new boolean[] {true, false}) {
      java.util.Arrays.fill(model, (byte) 0);
      Files.deleteIfExists(image());
      if (ours) {
        weMake(words[0], words[1]);
      } else {
        qemuMakes(words[0], words[1]);
      }
      weRead();
      weWrite();
      qemuReads(words[0]);
      qemuWrites(words[0]);
      weRead();
      weWrite();
      qemuReads(words[0]);
    }
  }

  /** Passphrases are changed by the one and used by the other. */
  @Test
  void keySlotsAreChangedByBoth() throws Exception {
    qemuMakes("qcow2", "encrypt.format=luks,encrypt.iter-time=20");
    OpenOptions writing = OpenOptions.readWrite().withSecrets(SECRETS);
    try (BlockDevice device = Images.open(image(), writing)) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      assertEquals(1, slots.add("from us".toCharArray()));
    }
    String both = "secret,id=sec0,data=from us";
    String added = "secret,id=sec1,data=from qemu";
    for (int i = 0; i < 50; i++) {
      Ended ended =
          end(
              "qemu-img",
              "amend",
              "--object",
              both,
              "--object",
              added,
              "--image-opts",
              imageOptions("qcow2"),
              "-o",
              "encrypt.state=active,encrypt.new-secret=sec1,encrypt.iter-time=20");
      if (!ended.output.contains("Unable to get accurate CPU usage")) {
        assertEquals(0, ended.exit, ended.output);
        break;
      }
    }
    Secrets theirs =
        (file, purpose) -> Optional.of("from qemu".getBytes(StandardCharsets.US_ASCII));
    try (BlockDevice device = Images.open(image(), OpenOptions.readWrite().withSecrets(theirs))) {
      KeySlots slots = device.feature(KeySlots.class).orElseThrow();
      assertEquals(List.of(0, 1, 2), slots.used());
      slots.erase(0);
      slots.erase(1);
    }
    assertEquals(1, end("qemu-io", "--object", SECRET, "--image-opts", imageOptions("qcow2")).exit);
    run(
        "qemu-img",
        "check",
        "--object",
        "secret,id=sec0,data=from qemu",
        "--image-opts",
        imageOptions("qcow2"));
  }
}
