package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void imageGoesOntoADeviceAndReadsLikeItsSource(String format) throws Exception {
    byte[] content = shell.disk("/new", 8 << 20); // larger than the device: its data is not
    Path image = Path.of(device);

    int code = run(Vdisk::run, "convert", "-f", "raw", "-O", format, "/new", "DEVICE");

    assertEquals(0, code, () -> shell.err);
    OpenOptions options = OpenOptions.readOnly().withFormat(format);
    try (BlockDevice opened = Images.open(image, options)) {
      ByteBuffer all = ByteBuffer.allocate((int) opened.size());
      opened.read(all, 0);
      assertArrayEquals(content, all.array());
    }
    Requirements.need("qemu-img");
    String source = shell.file("/new").toString();
    String[] compare = {"qemu-img", "compare", "-f", format, "-F", "raw", device, source};
    assertEquals(0, new ProcessBuilder(compare).start().waitFor());
  }

  @Test
  void emptyImageOnADeviceHidesWhatThatHeld() throws IOException {
    assertEquals(0, run(QcowCreate::run, "-f", "qcow2", "4", "DEVICE"), () -> shell.err);

    try (BlockDevice opened = Images.open(Path.of(device), OpenOptions.readOnly())) {
      ByteBuffer all = ByteBuffer.allocate((int) opened.size());
      opened.read(all, 0);
      assertArrayEquals(new byte[SIZE], all.array());
    }
  }

  @Test
  void imageThatDoesNotFitIsNone() throws IOException {
    Random random = new Random(1);
    byte[] content = new byte[5 << 20];
    random.nextBytes(content);
    Files.write(shell.file("/new"), content);

    assertEquals(1, run(Vdisk::run, "convert", "-f", "raw", "-O", "qcow2", "/new", "DEVICE"));

    assertTrue(shell.err.contains("cannot grow beyond 4194304 bytes"), shell.err);
    assertTrue(Opening.probe(Path.of(device)).isEmpty());
  }

  /** As at the end of the process, in which threads go on writing until it is over. */
  @ParameterizedTest
  @ValueSource(strings = {"qcow", "qcow2"})
  void imageThatIsAbandonedIsNone(String format) throws IOException {
    TargetFile target = TargetFile.of(Path.of(device));
    BlockDevice image = target.create(CreateOptions.of(format, SIZE));
    image.write(ByteBuffer.allocate(1 << 20), 0);
    image.flush();
    assertEquals(Optional.of(format), probed());

    target.abandon();

    assertEquals(Optional.empty(), probed());
    assertThrows(IOException.class, () -> image.write(ByteBuffer.allocate(1 << 16), 2 << 20));
    assertThrows(IOException.class, image::close);
    assertThrows(IOException.class, target::close);
    assertEquals(Optional.empty(), probed());
  }

  private Optional<String> probed() throws IOException {
    OpenOptions options = OpenOptions.readOnly().withoutLock();
    return Images.probe(Path.of(device), options).stream()
        .map(match -> match.format().name())
        .filter(name -> !name.equals("raw"))
        .findFirst();
  }

  @Test
  void completeImageIsNotAbandoned() throws IOException {
    try (TargetFile target = TargetFile.of(Path.of(device))) {
      target.create(CreateOptions.of("qcow2", SIZE)).close();
      target.complete();
      target.abandon();
    }
    assertEquals(Optional.of("qcow2"), probed());
  }

  @Test
  void optionThatIsUnknownLeavesTheDeviceAlone() throws IOException {
    shell.disk("/new", 1 << 20);

    String[] words = {"convert", "-f", "raw", "-O", "qcow2", "-o", "no_such=1", "/new", "DEVICE"};
    assertEquals(1, run(Vdisk::run, words));

    assertTrue(shell.err.contains("no_such"), shell.err);
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/disk")));
  }
}
