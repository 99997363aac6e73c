package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of the tests in a JVM of its own, of the kind that this one is. */
public record JavaProcess(Process process) {
  public static JavaProcess start(Class<?> program, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp"));
    command.add(classPath());
    command.add(program.getName());
    command.addAll(List.of(args));
    return new JavaProcess(new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
  }

  /** Surefire runs the tests on a module path, into which it patches their classes. */
  private static String classPath() {
    List<String> paths = new ArrayList<>();
    paths.add(Path.of("target", "test-classes").toAbsolutePath().toString());
    for (String property : List.of("jdk.module.path", "java.class.path")) {
      String value = System.getProperty(property, "");
      if (!value.isEmpty()) {
        paths.add(value);
      }
    }
    return String.join(System.getProperty("path.separator"), paths);
  }

  /** What it printed, without the end of the line; it must end well. */
  public String output() throws IOException, InterruptedException {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), text);
    return text.strip();
  }
}
