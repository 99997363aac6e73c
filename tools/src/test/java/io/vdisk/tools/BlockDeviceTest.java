package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a block device of the kernel: a loop device over a part of a file. */
class BlockDeviceTest {
  /** Where the part begins, as the first partition of most disks does. */
  private static final int START = 1 << 20;

  private static final int SIZE = 4 << 20;

  @TempDir Path folder;
  private Shell shell;
  private String losetup = "";
  private String device = "";
  private byte[] disk = {};

  @BeforeEach
  void attach() throws IOException, InterruptedException {
    losetup = Requirements.need("losetup").toString();
    Requirements.need("root".equals(System.getProperty("user.name")), "needs root");
    shell = new Shell(folder.toRealPath());
    disk = shell.disk("/disk", 8 << 20);
    String[] attach = {
      losetup, "-f", "--show", "-o", "" + START, "--sizelimit", "" + SIZE, shell.file("/disk") + ""
    };
    Process process = new ProcessBuilder(attach).start();
    device = new String(process.getInputStream().readAllBytes()).strip();
    boolean attached = process.waitFor() == 0;
    Requirements.need(attached, "needs a loop device");
  }

  @AfterEach
  void detach() throws IOException, InterruptedException {
    if (!device.isEmpty()) {
      assertEquals(0, new ProcessBuilder(losetup, "-d", device).start().waitFor());
    }
  }

  /** Runs a command in which the word DEVICE stands for the device. */
  private int run(Shell.Command command, String... words) {
    return shell.run(
        (given, console) ->
            command.run(
                given.stream().map(word -> word.equals("DEVICE") ? device : word).toList(),
                console),
        words);
  }

  @Test
  void partitionBecomesAnImage() throws IOException {
    assertEquals(0, run(Img2Qcow::run, "/a", "DEVICE"), () -> shell.err);

    assertTrue(
        shell.err.startsWith(
            "Image size: \n\tpre sector_shift  [4194304]\n\tpost sector_shift [8192]\n"),
        shell.err);
    assertArrayEquals(Arrays.copyOfRange(disk, START, START + SIZE), shell.content("/a", "qcow"));
  }

  @Test
  void deviceIsWrittenInPlace() throws IOException {
    byte[] content = shell.disk("/new", 3 << 20);

    int code = run(Vdisk::run, "convert", "-f", "raw", "-O", "raw", "/new", "DEVICE");

    assertEquals(0, code, () -> shell.err);
    System.arraycopy(content, 0, disk, START, content.length);
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/disk")));
    try (Stream<Path> near = Files.list(Path.of("/dev"))) {
      assertEquals(
          List.of(),
          near.filter(file -> file.getFileName().toString().startsWith(".loop")).toList());
    }
  }

  @Test
  void deviceThatIsTooSmallIsLeftAlone() throws IOException {
    shell.disk("/new", 5 << 20);

    assertEquals(1, run(Vdisk::run, "convert", "-f", "raw", "-O", "raw", "/new", "DEVICE"));

    assertEquals("vdisk: the source has 5242880 bytes, the target only 4194304\n", shell.err);
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/disk")));
  }

  @Test
  void onlyRawGoesOntoADevice() throws IOException {
    shell.disk("/new", 1 << 20);

    assertEquals(1, run(Vdisk::run, "convert", "-f", "raw", "-O", "qcow2", "/new", "DEVICE"));

    assertTrue(shell.err.contains("a block device is written as raw only"), shell.err);
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/disk")));
  }
}
