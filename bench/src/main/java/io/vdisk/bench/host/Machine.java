package io.vdisk.bench.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a figure depends on: the machine, and the versions of what runs on it. */
public final class Machine {
  private Machine() {}

  /**
   * Names and descriptions, in the order in which they are shown.
   *
   * @param jdk the home of the JVM that our commands run on
   */
  public static Map<String, String> describe(Path jdk) throws IOException, InterruptedException {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("processors", Runtime.getRuntime().availableProcessors() + " x " + processor());
    facts.put("memory", field(Path.of("/proc/meminfo"), "MemTotal"));
    facts.put("kernel", Programs.run("uname", "-sr").strip());
    facts.put("jvm", version(jdk));
    facts.put("qemu", Programs.run("qemu-img", "--version").lines().findFirst().orElse("?"));
    return facts;
  }

  private static String processor() throws IOException {
    return field(Path.of("/proc/cpuinfo"), "model name");
  }

  private static String field(Path file, String name) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("?");
  }

  /** Such as 17 or 25. */
  public static int majorVersion(Path jdk) throws IOException {
    return Integer.parseInt(version(jdk).replaceFirst("[^0-9].*", ""));
  }

  /** Of the file that each JVM has, with lines such as {@code JAVA_VERSION="17.0.15"}. */
  static String version(Path jdk) throws IOException {
    return Files.readAllLines(jdk.resolve("release")).stream()
        .filter(line -> line.startsWith("JAVA_VERSION="))
        .map(line -> line.substring(line.indexOf('=') + 1).replace("\"", ""))
        .findFirst()
        .orElse("?");
  }
}
