package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs qemu-img and its like. */
final class Qemu {
  /**
   * How a program ended.
   *
   * @param exit its exit code
   * @param output what it printed, errors included
   */
  record Result(int exit, String output) {}

  private Qemu() {}

  static Result run(Object... command) throws IOException {
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      return new Result(process.waitFor(), output);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** Runs a command that must succeed. */
  static String succeed(Object... command) throws IOException {
    Result result = run(command);
    assertEquals(0, result.exit(), () -> String.join(" ", toStrings(command)) + ": " + result);
    return result.output();
  }

  /** The image must be clean, without leaks. */
  static void check(Path image) throws IOException {
    succeed("qemu-img", "check", image);
  }

  private static List<String> toStrings(Object... words) {
    List<String> strings = new ArrayList<>();
    for (Object word : words) {
      strings.add(word.toString());
    }
    return strings;
  }
}
