package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A file system that runs full, small and in memory. */
class FullDiskTest {
  private static final int ROOM = 4 << 20;
  private static final int SIZE = 16 << 20;
  private static final int PIECE = 96 << 10;
  private static final String REASON = "No space left on device";

  @TempDir Path folder;
  private Path disk = Path.of("");
  private boolean mounted;
  private final Random random = new Random(1);
  private final byte[] model = new byte[SIZE];

  @BeforeEach
  void mount() throws Exception {
    disk = Files.createDirectory(folder.toRealPath().resolve("disk"));
    Requirements.need(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
        "needs to be run by root, to mount a file system");
    Requirements.need("mount");
    String failure = run("mount", "-t", "tmpfs", "-o", "size=" + ROOM, "tmpfs", disk.toString());
    mounted = failure.isEmpty();
    Requirements.need(mounted, "needs a file system in memory, but mount says: " + failure);
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      assertEquals("", run("umount", disk.toString()));
    }
  }

  /** What it said; nothing if it succeeded. */
  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    return code == 0 ? "" : command[0] + " ends with " + code + ": " + said;
  }

  /** Takes all the room but {@code left} bytes. */
  private Path ballast(int left) throws IOException {
    Path file = disk.resolve("ballast");
    ByteBuffer page = ByteBuffer.allocate(4096);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (Files.getFileStore(disk).getUsableSpace() > left) {
        channel.write(page.clear());
      }
    }
    return file;
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Writes pieces until the disk is full, flushing after every seventh; how far that went. */
  private int fill(BlockDevice device) throws IOException {
    for (int at = 0; ; at += PIECE) {
      byte[] piece = bytes(PIECE);
      int offset = at;
      try {
        device.write(ByteBuffer.wrap(piece), offset);
        if (at / PIECE % 7 == 6) {
          device.flush();
        }
      } catch (IOException e) {
        assertTrue(String.valueOf(e.getMessage()).contains(REASON), e.toString());
        return at;
      }
      System.arraycopy(piece, 0, model, at, PIECE);
    }
  }

  /** What was written below {@code end} is there, and nothing is wrong but perhaps leaks. */
  private void assertHolds(BlockDevice device, int end) throws IOException {
    byte[] content = new byte[end];
    device.read(ByteBuffer.wrap(content), 0);
    assertArrayEquals(Arrays.copyOf(model, end), content);
    Optional<Checking> checking = device.feature(Checking.class);
    if (checking.isPresent()) {
      for (CheckReport.Finding finding : checking.get().check((d, t) -> true).findings()) {
        assertEquals(CheckReport.Severity.LEAK, finding.severity(), finding.message());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"raw, 65536", "qcow, 4096", "qcow2, 65536", "qcow2, 512"})
  void imageIsWholeAsOfTheLastFlushAndIsWrittenOnWhenThereIsRoom(String format, int cluster)
      throws Exception {
    Path ballast = ballast(ROOM - (1 << 20));
    Path image = disk.resolve("image");
    CreateOptions options = CreateOptions.of(format, SIZE);
    if (!format.equals("raw")) {
      options = options.withOption("cluster_size", Integer.toString(cluster));
    }
    try (BlockDevice device = Images.create(image, options)) {
      int end = fill(device);
      int flushed = end / PIECE / 7 * 7 * PIECE;
      assertTrue(flushed > 0 && flushed <= end, "flushed " + flushed + " of " + end);
      try {
        device.flush();
        flushed = end;
      } catch (IOException e) {
        assertTrue(String.valueOf(e.getMessage()).contains(REASON), e.toString());
      }
      byte[] content = new byte[end];
      device.read(ByteBuffer.wrap(content), 0);
      assertArrayEquals(Arrays.copyOf(model, end), content, "what was written, flushed or not");
      assertCopyHolds(image, "full", format, flushed);

      Files.delete(ballast);
      for (int i = 0; i < 6; i++) {
        byte[] piece = bytes(PIECE);
        device.write(ByteBuffer.wrap(piece), end + i * PIECE);
        System.arraycopy(piece, 0, model, end + i * PIECE, PIECE);
      }
      device.flush();
      assertHolds(device, SIZE);
    }
    assertCopyHolds(image, "written", format, SIZE);
    if (format.equals("qcow2")) {
      checkByQemu("full");
      checkByQemu("written");
    }
  }

  /** What a power cut would leave now. */
  private void assertCopyHolds(Path image, String name, String format, int end) throws IOException {
    Path copy = Files.write(folder.resolve(name), Files.readAllBytes(image));
    try (BlockDevice device = Images.open(copy, OpenOptions.readOnly().withFormat(format))) {
      assertHolds(device, end);
    }
  }

  private void checkByQemu(String name) throws Exception {
    Path qemu = Requirements.need("qemu-img");
    String said = run(qemu.toString(), "check", "-f", "qcow2", folder.resolve(name).toString());
    assertTrue(said.isEmpty() || said.startsWith(qemu + " ends with 3"), said); // 3: only leaks
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow", "qcow2"})
  void creationFailsWithTheReasonAndLeavesNoFile(String format) throws IOException {
    ballast(0);
    Path image = disk.resolve("image");
    IOException e =
        assertThrows(
            IOException.class, () -> Images.create(image, CreateOptions.of(format, SIZE)).close());
    assertTrue(String.valueOf(e.getMessage()).contains(REASON), e.toString());
    assertFalse(Files.exists(image));
  }

  @ParameterizedTest
  @CsvSource({"raw, full", "qcow2, full", "qcow2, falloc"})
  void preallocationThatDoesNotFitLeavesNoFile(String format, String preallocation) {
    Path image = disk.resolve("image");
    CreateOptions options =
        CreateOptions.of(format, SIZE).withOption("preallocation", preallocation);
    IOException e = assertThrows(IOException.class, () -> Images.create(image, options).close());
    assertTrue(String.valueOf(e.getMessage()).contains(REASON), e.toString());
    assertFalse(Files.exists(image));
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow", "qcow2"})
  void conversionLeavesNoHalfWrittenTarget(String format) throws IOException {
    Path source = Files.write(folder.resolve("source"), bytes(2 * ROOM));
    Shell shell = new Shell(disk);
    String target = disk.resolve("target").toString();
    String[] words = {"convert", "-f", "raw", "-O", format, source.toString(), target};

    assertEquals(1, new Shell(Path.of("")).run(Vdisk::run, words));
    assertEquals(List.of(), shell.names());

    Files.writeString(Path.of(target), "was there");
    Shell again = new Shell(Path.of(""));
    assertEquals(1, again.run(Vdisk::run, words));
    assertTrue(again.err.endsWith("vdisk: " + target + ": " + REASON + "\n"), again.err);
    assertEquals(List.of("target"), shell.names());
    assertEquals("was there", Files.readString(Path.of(target)));
  }

  @Test
  void img2qcowLeavesNoHalfWrittenTarget() throws IOException {
    Path source = Files.write(folder.resolve("source"), bytes(2 * ROOM));
    Shell shell = new Shell(Path.of(""));
    String target = disk.resolve("target").toString();
    assertEquals(1, shell.run(Img2Qcow::run, target, source.toString()));
    assertTrue(shell.err.endsWith("%\nimg2qcow: " + target + ": " + REASON + "\n"), shell.err);
    assertEquals(List.of(), new Shell(disk).names());
  }
}
