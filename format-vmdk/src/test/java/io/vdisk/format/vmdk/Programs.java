package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Runs others' programs in a folder; the test is skipped where there are none. */
final class Programs {
  /** Reads a chain, the top image last, and prints size and SHA-256 of the disk. */
  private static final String READ_CHAIN =
      """
      import hashlib, sys, pyvmdk
      handles = []
      for name in sys.argv[1:]:
          image = pyvmdk.handle()
          image.open(name)
          image.open_extent_data_files()
          if handles:
              image.set_parent(handles[-1])
          handles.append(image)
      digest, left = hashlib.sha256(), handles[-1].get_media_size()
      while left > 0:
          piece = handles[-1].read_buffer(min(left, 1 << 20))
          digest.update(piece)
          left -= len(piece)
      print(handles[-1].get_media_size(), digest.hexdigest())
      """;

  private final Path folder;

  Programs(Path folder) {
    this.folder = folder;
  }

  /** Runs {@code qemu-img}, which must succeed. */
  String img(String... arguments) throws IOException, InterruptedException {
    return run("qemu-img", "", arguments);
  }

  /** Runs commands of {@code qemu-io} on an image. */
  String io(String image, List<String> commands) throws IOException, InterruptedException {
    return run("qemu-io", String.join("\n", commands) + "\n", "-f", "vmdk", image);
  }

  /** The disk of a chain, base first, as libvmdk reads it: size and SHA-256. */
  String libvmdk(String... chain) throws IOException, InterruptedException {
    needLibvmdk();
    List<String> arguments = new ArrayList<>(List.of("-c", READ_CHAIN));
    arguments.addAll(List.of(chain));
    return run("/usr/bin/python3", "", arguments.toArray(String[]::new)).strip();
  }

  /** Ends the test where libvmdk's Python module is missing. */
  static void needLibvmdk() throws IOException, InterruptedException {
    boolean isThere =
        Files.isExecutable(Path.of("/usr/bin/python3"))
            && new ProcessBuilder("/usr/bin/python3", "-c", "import pyvmdk")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor()
                == 0;
    Requirements.need(isThere, "needs python3-libvmdk");
  }

  /** What {@link #libvmdk} says of a disk with this content. */
  static String digest(byte[] content) {
    try {
      byte[] sum = java.security.MessageDigest.getInstance("SHA-256").digest(content);
      return content.length + " " + HexFormat.of().formatHex(sum);
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs a program, which must succeed. */
  String run(String program, String input, String... arguments)
      throws IOException, InterruptedException {
    return run(0, program, input, arguments);
  }

  /** Runs a program that must end with this code. */
  String runFailing(int code, String program, String input, String... arguments)
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
    assertEquals(code, exit, () -> command + " ends with " + exit + ":\n" + output);
    return output;
  }
}
