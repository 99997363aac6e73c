package io.vdisk.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;

/** Runs others' programs in a folder; the test is skipped where there are none. One thread. */
public final class Programs {
  /** Where Debian's modules are; another Python that comes first on the path has not got them. */
  private static final String PYTHON = "/usr/bin/python3";

  /** Reads a chain, the top image last, and prints size and SHA-256 of the disk. */
  private static final String READ_CHAIN =
      """
      import hashlib, sys, %1$s
      images = []
      for name in sys.argv[1:]:
          image = %1$s.%2$s()
          image.open(name)
          %3$s
          if images:
              image.set_parent(images[-1])
          images.append(image)
      digest, left = hashlib.sha256(), images[-1].get_media_size()
      while left > 0:
          piece = images[-1].read_buffer(min(left, 1 << 20))
          digest.update(piece)
          left -= len(piece)
      print(images[-1].get_media_size(), digest.hexdigest())
      """;

  private final Path folder;

  /**
   * Programs.
   *
   * @param folder where they run: names of images are relative to it
   */
  public Programs(Path folder) {
    this.folder = folder;
  }

  /** Runs {@code qemu-img}, which must succeed; what it prints. */
  public String img(String... arguments) throws IOException, InterruptedException {
    return run("qemu-img", "", arguments);
  }

  /** Runs commands of {@code qemu-io} on an image of a format, as QEMU calls it. */
  public String io(String format, String image, List<String> commands)
      throws IOException, InterruptedException {
    return run("qemu-io", String.join("\n", commands) + "\n", "-f", format, image);
  }

  /** Lets QEMU write and zero at random, whole sectors, in an image and in its model. */
  public void change(String format, String image, byte[] model, int operations, Random random)
      throws IOException, InterruptedException {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < operations; i++) {
      int sectors = 1 + random.nextInt(random.nextInt(40) == 0 ? 3000 : 40);
      int from = random.nextInt(model.length / 512 - sectors) * 512;
      int pattern = random.nextInt(256);
      boolean isZero = random.nextInt(8) == 0;
      commands.add(
          (isZero ? "write -z " : "write -P " + pattern + " ") + from + " " + sectors * 512);
      Arrays.fill(model, from, from + sectors * 512, isZero ? 0 : (byte) pattern);
    }
    String output = io(format, image, commands);
    Assertions.assertFalse(output.contains("failed"), output);
  }

  /** The disk of a chain of VHD or VHDX images, base first, as libvhdi reads it: size, SHA-256. */
  public String libvhdi(String... chain) throws IOException, InterruptedException {
    needLibvhdi();
    return read(READ_CHAIN.formatted("pyvhdi", "file", "pass"), chain);
  }

  /** The disk of a chain of VMDK images, base first, as libvmdk reads it: size and SHA-256. */
  public String libvmdk(String... chain) throws IOException, InterruptedException {
    needLibvmdk();
    return read(READ_CHAIN.formatted("pyvmdk", "handle", "image.open_extent_data_files()"), chain);
  }

  private String read(String script, String... chain) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("-c", script));
    arguments.addAll(List.of(chain));
    return run(PYTHON, "", arguments.toArray(String[]::new)).strip();
  }

  /** Ends the test where libvhdi's Python module is missing. */
  public static void needLibvhdi() throws IOException, InterruptedException {
    Requirements.need(hasModule("pyvhdi"), "needs python3-libvhdi");
  }

  /** Ends the test where libvmdk's Python module is missing. */
  public static void needLibvmdk() throws IOException, InterruptedException {
    Requirements.need(hasModule("pyvmdk"), "needs python3-libvmdk");
  }

  private static boolean hasModule(String name) throws IOException, InterruptedException {
    return Files.isExecutable(Path.of(PYTHON))
        && new ProcessBuilder(PYTHON, "-c", "import " + name)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor()
            == 0;
  }

  /** What {@link #libvhdi} and {@link #libvmdk} say of a disk with this content. */
  public static String digest(byte[] content) {
    try {
      byte[] sum = MessageDigest.getInstance("SHA-256").digest(content);
      return content.length + " " + HexFormat.of().formatHex(sum);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs a program, which must succeed; what it prints. */
  public String run(String program, String input, String... arguments)
      throws IOException, InterruptedException {
    return run(0, program, input, arguments);
  }

  /** Runs a program that must end with this code; what it prints. */
  public String runFailing(int code, String program, String input, String... arguments)
      throws IOException, InterruptedException {
    return run(code, program, input, arguments);
  }

  private String run(int code, String program, String input, String... arguments)
      throws IOException, InterruptedException {
    String path = program.startsWith("/") ? program : Requirements.need(program).toString();
    List<String> command = new ArrayList<>(List.of(path));
    command.addAll(List.of(arguments));
    Path log = Files.createTempFile(folder, "log", "");
    Path in = Files.createTempFile(folder, "in", "");
    Files.writeString(in, input, StandardCharsets.UTF_8);
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectInput(in.toFile())
            .redirectOutput(log.toFile())
            .start();
    int exit = process.waitFor();
    String output = Files.readString(log);
    Files.delete(log);
    Files.delete(in);
    Assertions.assertEquals(code, exit, () -> command + " ends with " + exit + ":\n" + output);
    return output;
  }
}
