package io.vdisk.format.raw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A disk with a partition table, as a block device and through its partition. */
@Timeout(60)
class RawBlockDeviceTest {
  private static final int SIZE = 16 << 20;
  private static final int START = 1 << 20;
  private static final int LENGTH = 4 << 20;

  @TempDir Path folder;
  private final byte[] model = new byte[SIZE];
  private @Nullable String loop;
  private boolean added;

  @BeforeEach
  void attach() throws Exception {
    Requirements.need(isRoot(), "needs to be run by root, to make a loop device");
    Requirements.need("losetup");
    new Random(1).nextBytes(model);
    Arrays.fill(model, 0, 512, (byte) 0);
    ByteBuffer table = ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN);
    table.put(446 + 4, (byte) 0x83).putInt(446 + 8, START / 512).putInt(446 + 12, LENGTH / 512);
    table.putShort(510, (short) 0xaa55);
    Path disk = Files.write(folder.resolve("disk.raw"), model);
    Result made = run("losetup", "--partscan", "--show", "--find", disk.toString());
    Requirements.need(made.exit == 0, "needs a loop device, but losetup says: " + made.output);
    loop = made.output;
  }

  @AfterEach
  void detach() throws Exception {
    if (loop != null) {
      if (added) {
        run("partx", "--delete", loop);
      }
      assertEquals(0, run("losetup", "--detach", loop).exit);
    }
  }

  @Test
  void wholeDeviceIsReadAndWritten() throws Exception {
    try (BlockDevice device = Images.open(Path.of(loop), writing())) {
      assertEquals(SIZE, device.size());
      assertArrayEquals(model, read(device));
      change(device, 0);
      assertArrayEquals(model, read(device));
    }
    assertArrayEquals(model, Files.readAllBytes(folder.resolve("disk.raw")));
  }

  @Test
  void partitionIsReadAndWrittenAndNothingBesideIt() throws Exception {
    try (BlockDevice device = Images.open(partition(), writing())) {
      assertEquals(LENGTH, device.size());
      assertArrayEquals(Arrays.copyOfRange(model, START, START + LENGTH), read(device));
      change(device, START);
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> device.write(ByteBuffer.allocate(513), LENGTH - 512));
    }
    assertArrayEquals(model, Files.readAllBytes(folder.resolve("disk.raw")));
  }

  private void change(BlockDevice device, int start) throws IOException {
    Random random = new Random(2);
    for (int i = 0; i < 50; i++) {
      byte[] bytes = new byte[1 + random.nextInt(100_000)];
      random.nextBytes(bytes);
      int offset = random.nextInt((int) device.size() - bytes.length);
      if (i % 5 == 0) {
        device.writeZeroes(offset, bytes.length);
        Arrays.fill(bytes, (byte) 0);
      } else {
        device.write(ByteBuffer.wrap(bytes), offset);
      }
      System.arraycopy(bytes, 0, model, start + offset, bytes.length);
    }
    byte[] last = new byte[1000];
    random.nextBytes(last);
    device.write(ByteBuffer.wrap(last), device.size() - 1000);
    System.arraycopy(last, 0, model, start + (int) device.size() - 1000, 1000);
    device.flush();
  }

  /** The partition's node; made here where nobody makes it in {@code /dev}. */
  private Path partition() throws Exception {
    Path made = Path.of(loop + "p1");
    if (Files.exists(made)) {
      return made;
    }
    Path number = Path.of("/sys/class/block", made.getFileName().toString(), "dev");
    if (!Files.exists(number)) {
      added = run("partx", "--add", loop).exit == 0;
      Requirements.need(added, "needs a kernel with partitions on loop devices");
    }
    String[] parts = Files.readString(number).trim().split(":");
    Path node = folder.resolve("partition");
    assertEquals(0, run("mknod", node.toString(), "b", parts[0], parts[1]).exit);
    try {
      new RandomAccessFile(node.toFile(), "r").close();
    } catch (IOException e) {
      Requirements.need(false, "needs device nodes in " + folder + ": " + e.getMessage());
    }
    return node;
  }

  private static byte[] read(BlockDevice device) throws IOException {
    byte[] content = new byte[(int) device.size()];
    device.read(ByteBuffer.wrap(content), 0);
    return content;
  }

  private static OpenOptions writing() {
    return OpenOptions.readWrite().withFormats(List.of(new RawFormat())).withFormat("raw");
  }

  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  private record Result(int exit, String output) {}

  private static Result run(String program, String... arguments)
      throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 1];
    command[0] = Requirements.need(program).toString();
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes()).trim();
    return new Result(process.waitFor(), output);
  }
}
