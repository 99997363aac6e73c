package io.vdisk.all;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * The project in {@code src/it/consumer}, compiled and run by the JDK that runs the tests, with
 * nothing but what the dependency on {@code io.vdisk:vdisk} brings.
 */
final class Consumer {
  /** How a user of the library may put it together. */
  enum Way {
    CLASS_PATH("--class-path", "com.example.consumer.Watched"),
    MODULE_PATH("--module-path", "com.example.consumer/com.example.consumer.Watched");

    private final String option;
    private final String main;

    Way(String option, String main) {
      this.option = option;
      this.main = main;
    }

    private List<String> launch(String path) {
      return this == CLASS_PATH
          ? List.of(option, path, main)
          : List.of(option, path, "--module", main);
    }
  }

  /** What a run left behind. */
  record Result(int exitCode, String out, String err) {}

  static final Path PROJECT = Path.of("src/it/consumer");
  static final Path SOURCES = PROJECT.resolve("src/main/java");

  private static final Path RESOURCES = PROJECT.resolve("src/main/resources");
  private static final int MINUTES = 2;

  private final Way way;
  private final Path classes;

  private Consumer(Way way, Path classes) {
    this.way = way;
    this.classes = classes;
  }

  /** What the dependency brings: jars, or folders of classes where nothing is packaged yet. */
  static List<Path> dependencies() {
    return Stream.of(System.getProperty("consumer.path").split(File.pathSeparator))
        .map(Path::of)
        .toList();
  }

  /** Compiles the project into {@code classes}; a warning is a failure. */
  static Consumer compile(Way way, Path classes) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("--release", "17", "-Xlint:all", "-Werror", "-d", classes.toString()));
    command.addAll(List.of(way.option, System.getProperty("consumer.path")));
    try (Stream<Path> files = Files.walk(SOURCES)) {
      files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> way == Way.MODULE_PATH || !file.endsWith("module-info.java"))
          .forEach(file -> command.add(file.toString()));
    }
    StringWriter messages = new StringWriter();
    PrintWriter writer = new PrintWriter(messages);
    int exitCode =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(writer, writer, command.toArray(String[]::new));
    assertEquals(0, exitCode, messages::toString);
    return new Consumer(way, classes);
  }

  /** Runs {@code Watched}, its files in {@code folder}. */
  Result run(Path folder, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 24) {
      command.add("--illegal-native-access=deny");
    }
    command.addAll(way.launch(path()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().keySet().removeIf(name -> name.endsWith("JAVA_OPTIONS"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Path out = Files.createTempFile(folder, "out", "");
    Path err = Files.createTempFile(folder, "err", "");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try {
      assertTrue(process.waitFor(MINUTES, TimeUnit.MINUTES), "still running");
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /** On the class path the service file is what names the project's own format. */
  private String path() {
    List<Path> path = new ArrayList<>(List.of(classes));
    if (way == Way.CLASS_PATH) {
      path.add(RESOURCES);
    }
    path.addAll(dependencies());
    return String.join(
        File.pathSeparator, path.stream().map(entry -> entry.toAbsolutePath().toString()).toList());
  }
}
