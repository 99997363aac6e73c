package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs other programs in a folder; the test is skipped where one is missing. */
final class Tool {
  /** Reads a chain of images, the first at the bottom, and prints its SHA-256 and its size. */
  private static final String READ_CHAIN =
      """
      import sys, hashlib, pyvhdi
      below = None
      files = []
      for name in sys.argv[1:]:
        image = pyvhdi.file()
        image.open(name)
        if below is not None:
          image.set_parent(below)
        files.append(image)
        below = image
      digest = hashlib.sha256()
      size = below.get_media_size()
      done = 0
      while done < size:
        part = below.read_buffer_at_offset(min(1 << 20, size - done), done)
        digest.update(part)
        done += len(part)
      print(digest.hexdigest(), size)
      """;

  private final Path folder;

  Tool(Path folder) {
    this.folder = folder;
  }

  String run(String program, String... arguments) throws IOException, InterruptedException {
    return run(List.of(), program, arguments);
  }

  /** Runs commands of {@code qemu-io} on an image; none may fail. */
  void qemuIo(String image, List<String> commands) throws IOException, InterruptedException {
    String output = run(commands, "qemu-io", "-f", "vpc", "-t", "writeback", image);
    assertEquals(
        commands.size(), output.split("ops; ", -1).length - 1, () -> "qemu-io says " + output);
  }

  /** The SHA-256 and the size that libvhdi reads of a chain, the lowest image first. */
  String libvhdi(String... chain) throws IOException, InterruptedException {
    Requirements.need("vhdiinfo");
    Path python = Path.of("/usr/bin/python3");
    Requirements.need(Files.isExecutable(python), "needs " + python);
    boolean hasModule =
        new ProcessBuilder(python.toString(), "-c", "import pyvhdi")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor()
            == 0;
    Requirements.need(hasModule, "needs Python's pyvhdi (python3-libvhdi)");
    List<String> arguments = new ArrayList<>(List.of("-c", READ_CHAIN));
    arguments.addAll(List.of(chain));
    return start(List.of(), python, arguments.toArray(String[]::new)).strip();
  }

  private String run(List<String> input, String program, String... arguments)
      throws IOException, InterruptedException {
    return start(input, Requirements.need(program), arguments);
  }

  private String start(List<String> input, Path program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    Path in = Files.write(Files.createTempFile(folder, "in", ""), input, StandardCharsets.US_ASCII);
    Path log = Files.createTempFile(folder, "log", "");
    int exit =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectInput(in.toFile())
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    String output = Files.readString(log);
    assertEquals(0, exit, () -> command + " fails:\n" + output);
    return output;
  }
}
