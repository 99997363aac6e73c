package io.vdisk.bench.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Programs of this machine, run for what they do or say and not for how long they take. */
public final class Programs {
  /** Where Debian keeps the tools of the administrator, which are not on every user's path. */
  private static final String ADMINISTRATOR = "/usr/local/sbin:/usr/sbin:/sbin";

  private static final Map<String, String> DEBIAN_PACKAGES =
      Map.of(
          "qemu-img", "qemu-utils",
          "qemu-io", "qemu-utils",
          "mke2fs", "e2fsprogs",
          "time", "time");

  private Programs() {}

  /** Where a program is. */
  public static Path find(String name) throws IOException {
    return Stream.of(System.getenv().getOrDefault("PATH", ""), ADMINISTRATOR)
        .flatMap(Pattern.compile(":")::splitAsStream)
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(
            () ->
                new IOException(
                    "the program "
                        + name
                        + " is missing (Debian's package "
                        + DEBIAN_PACKAGES.getOrDefault(name, name)
                        + ")"));
  }

  /** Runs a program to its end, in the folder of this process, and returns what it printed. */
  public static String run(String... words) throws IOException, InterruptedException {
    return run(Map.of(), Arrays.asList(words));
  }

  public static String run(Map<String, String> environment, List<String> words)
      throws IOException, InterruptedException {
    String[] command = words.toArray(String[]::new);
    command[0] = command[0].contains("/") ? command[0] : find(command[0]).toString();
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    if (code != 0) {
      throw new IOException(
          String.join(" ", words) + " ended with " + code + ": " + printed.strip());
    }
    return printed;
  }
}
