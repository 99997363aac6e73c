package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs QEMU's tools in a folder; the test is skipped where there are none. */
final class Qemu {
  private final Path folder;

  Qemu(Path folder) {
    this.folder = folder;
  }

  /** Runs {@code qemu-img}, which must succeed. */
  String img(String... arguments) throws IOException, InterruptedException {
    return run(0, "qemu-img", arguments);
  }

  /** Runs {@code qemu-img}, which may end with {@code exit} too. */
  String imgOrExit(int exit, String... arguments) throws IOException, InterruptedException {
    return run(exit, "qemu-img", arguments);
  }

  /** Runs commands of {@code qemu-io} on an image; none may fail. */
  String io(String format, String image, List<String> commands)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("-f", format));
    commands.forEach(command -> arguments.addAll(List.of("-c", command)));
    arguments.add(image);
    return run(0, "qemu-io", arguments.toArray(String[]::new));
  }

  private String run(int allowed, String program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(Requirements.need(program).toString()));
    command.addAll(List.of(arguments));
    Path log = Files.createTempFile(folder, "log", "");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int exit = process.waitFor();
    String output = Files.readString(log);
    assertTrue(exit == 0 || exit == allowed, command + " ends with " + exit + ":\n" + output);
    return output;
  }
}
