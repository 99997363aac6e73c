import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * The loop of {@code run}. The working directory is a copy of the tree that may be changed; the
 * class path holds the jars that the tests need, and no more.
 */
final class Mutate {
  private static final String JARS = System.getProperty("java.class.path");
  private static final JavaCompiler JAVAC = ToolProvider.getSystemJavaCompiler();

  /** No test named by a patch takes as long on the slowest machine. */
  private static final int MOST_MINUTES = 10;

  private final Path classes;
  private final Path testClasses;
  private final Path log;

  /** A patch and its head. */
  private record Patch(Path file, String name, String test, String module) {
    static Patch read(Path file) throws IOException {
      List<String> lines = Files.readAllLines(file);
      String name = file.getFileName().toString().replaceFirst("\\.patch$", "");
      return new Patch(file, name, header("# test: ", lines), header("# module: ", lines));
    }

    private static String header(String start, List<String> lines) {
      return lines.stream()
          .filter(line -> line.startsWith(start))
          .map(line -> line.substring(start.length()).split("\\s")[0])
          .findFirst()
          .orElse("");
    }
  }

  private Mutate(Path scratch) throws IOException {
    classes = scratch.resolve("target/classes");
    testClasses = scratch.resolve("target/test-classes"); // so named, ArchUnit knows them as tests
    Files.createDirectories(scratch);
    log = scratch.resolve("log");
  }

  /** Arguments: a directory to work in, then the patches. */
  public static void main(String[] arguments) throws Exception {
    List<Patch> patches = new ArrayList<>();
    for (String name : List.of(arguments).subList(1, arguments.length)) {
      patches.add(Patch.read(Path.of(name)));
    }
    System.exit(new Mutate(Path.of(arguments[0])).areAllCaught(patches) ? 0 : 1);
  }

  private boolean areAllCaught(List<Patch> patches) throws Exception {
    Set<Patch> passing = passing(patches);
    int caught = 0;
    for (Patch patch : patches) {
      String verdict = verdict(patch, passing);
      System.out.printf("%-36s %s%n", patch.name, verdict);
      caught += verdict.startsWith("caught by ") ? 1 : 0;
    }
    System.out.printf("caught %d of %d%n", caught, patches.size());
    return caught == patches.size();
  }

  /** The patches whose tests pass in the tree as it is. */
  private Set<Patch> passing(List<Patch> patches) throws Exception {
    Map<String, Set<String>> tests = new TreeMap<>();
    for (Patch patch : patches) {
      if (Files.isDirectory(Path.of(patch.module, "src/test/java"))) {
        tests.computeIfAbsent(patch.module, module -> new TreeSet<>()).add(patch.test);
      }
    }
    Set<Patch> passing = new HashSet<>();
    for (String module : tests.keySet()) {
      String errors = compile(module);
      if (!errors.isEmpty()) {
        throw new IllegalStateException("the tree as it is does not compile: " + errors);
      }
      List<String> lines = run(module, tests.get(module));
      for (Patch patch : patches) {
        if (patch.module.equals(module) && lines.contains("passed " + patch.test)) {
          passing.add(patch);
        }
      }
    }
    return passing;
  }

  private String verdict(Patch patch, Set<Patch> passing) throws Exception {
    if (patch.test.isEmpty() || patch.module.isEmpty()) {
      return "names no test or no module";
    } else if (!passing.contains(patch)) {
      return "its test does not pass without it, in " + patch.module + ": " + patch.test;
    } else if (!apply(patch, "--check")) {
      return "does not apply: " + Files.readAllLines(log).get(0);
    }
    apply(patch, "--apply");
    try {
      String errors = compile(patch.module);
      if (!errors.isEmpty()) {
        return "does not compile: " + errors.lines().findFirst().orElseThrow();
      }
      List<String> lines = run(patch.module, Set.of(patch.test));
      if (lines.contains("passed " + patch.test)) {
        return "SURVIVED";
      } else if (lines.contains("failed " + patch.test)) {
        return "caught by " + patch.test;
      }
      return "its test does not end with it: " + patch.test;
    } finally {
      apply(patch, "--reverse");
    }
  }

  private boolean apply(Patch patch, String option) throws Exception {
    return start(List.of("git", "apply", option, patch.file.toString())).waitFor() == 0;
  }

  /**
   * Whether Maven builds a module and runs its tests: they want its packed jar, in which alone a
   * JVM looks for versions of a class.
   */
  private static boolean isPacked(String module) {
    return Files.isDirectory(Path.of(module, "src/main/java22"));
  }

  /**
   * Compiles a module, those that it sees, and its tests, unless Maven does; answers with the
   * errors, if any.
   */
  private String compile(String module) throws IOException {
    if (isPacked(module)) {
      return "";
    }
    List<Path> sources = new ArrayList<>(List.of(Path.of("tools/mutate/RunTests.java")));
    for (Path directory : seenBy(module, "src/main/java")) {
      sources.addAll(sources(directory));
    }
    String errors = compile(sources, classes, JARS);
    return errors.isEmpty()
        ? compile(sources(Path.of(module, "src/test/java")), testClasses, classPath(classes) + JARS)
        : errors;
  }

  private static String compile(Collection<Path> sources, Path target, String classPath)
      throws IOException {
    delete(target);
    Files.createDirectories(target);
    List<String> options =
        List.of("-d", target.toString(), "-cp", classPath, "-proc:none", "--release", "17");
    StringWriter messages = new StringWriter();
    try (var files = JAVAC.getStandardFileManager(null, null, null)) {
      var units = files.getJavaFileObjectsFromPaths(sources);
      return JAVAC.getTask(messages, files, null, options, null, units).call()
          ? ""
          : messages.toString();
    }
  }

  /** Runs tests of a module; answers with what was printed, see {@code RunTests}. */
  private List<String> run(String module, Collection<String> tests) throws Exception {
    if (!isPacked(module)) {
      return runCompiled(module, tests);
    }
    List<String> lines = new ArrayList<>();
    for (String test : tests) {
      lines.addAll(runPacked(module, test));
    }
    return lines;
  }

  /** One that did not run, because something does not compile, neither passed nor failed. */
  private List<String> runPacked(String module, String test) throws Exception {
    List<String> command = new ArrayList<>(List.of("mvn", "-B", "-Pquick", "-pl", module, "-am"));
    command.addAll(List.of("test", "-Dtest=" + test, "-Dsurefire.failIfNoSpecifiedTests=false"));
    boolean succeeded = succeeds(start(command));
    List<String> lines = new ArrayList<>(Files.readAllLines(log));
    if (lines.stream().anyMatch(line -> line.matches(".*Tests run: [1-9].*"))) {
      lines.add((succeeded ? "passed " : "failed ") + test);
    }
    return lines;
  }

  private List<String> runCompiled(String module, Collection<String> tests) throws Exception {
    List<Path> directories = new ArrayList<>(List.of(testClasses, classes));
    directories.add(Path.of(module, "src/test/resources"));
    directories.addAll(seenBy(module, "src/main/resources"));
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> command = new ArrayList<>(List.of(java, "-ea", "-Dfile.encoding=UTF-8"));
    command.addAll(List.of("-cp", classPath(directories.toArray(Path[]::new)) + JARS, "RunTests"));
    command.addAll(tests);
    succeeds(start(command));
    return Files.readAllLines(log);
  }

  /** Waits for the end, which it brings about where that takes too long. */
  private static boolean succeeds(Process process) throws InterruptedException {
    if (!process.waitFor(MOST_MINUTES, TimeUnit.MINUTES)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    return process.exitValue() == 0;
  }

  private Process start(List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  /**
   * The directory of that name in a module and in each that it depends on, as Maven says: what
   * ArchUnit says of all classes it sees is meant for these.
   */
  private static List<Path> seenBy(String module, String directory) throws IOException {
    String classPath = Files.readString(Path.of(module, "target/classpath")).strip();
    Stream<Path> others =
        Stream.of(classPath.split(File.pathSeparator))
            .map(Path::of)
            .filter(entry -> entry.getParent().endsWith("target"))
            .map(entry -> entry.getParent().resolveSibling(directory));
    return Stream.concat(Stream.of(Path.of(module, directory)), others)
        .filter(Files::isDirectory)
        .toList();
  }

  /** Without module descriptors: all modules share a class path. */
  private static List<Path> sources(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(file -> file.toString().endsWith(".java") && !file.endsWith("module-info.java"))
          .toList();
    }
  }

  /** The beginning of a class path. */
  private static String classPath(Path... directories) {
    StringBuilder path = new StringBuilder();
    for (Path directory : directories) {
      path.append(directory.toAbsolutePath()).append(File.pathSeparator);
    }
    return path.toString();
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
