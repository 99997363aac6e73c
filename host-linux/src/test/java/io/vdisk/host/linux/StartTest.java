package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.plain.Plain;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An application with this jar on its path starts and works, whatever the JVM and its options. */
class StartTest {
  /** What the library needs at run time. */
  private static final Set<String> LIBRARIES =
      Set.of(
          "error_prone_annotations",
          "failureaccess",
          "guava",
          "host-linux",
          "j2objc-annotations",
          "jspecify",
          "vdisk-api");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "CLASS_PATH, false, false",
    "CLASS_PATH, true, true",
    "MODULE_PATH, false, false",
    "MODULE_PATH, true, true"
  })
  void itWorksAndSaysNothing(String way, boolean enabled, boolean used) throws Exception {
    boolean modules = way.equals("MODULE_PATH");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (enabled) {
      command.add("--enable-native-access=" + (modules ? "io.vdisk.host.linux" : "ALL-UNNAMED"));
    }
    if (modules) {
      command.addAll(List.of("--module-path", libraries(), "--add-modules", "io.vdisk"));
      command.addAll(List.of("--class-path", classes()));
    } else {
      command.addAll(List.of("--class-path", classes() + File.pathSeparator + libraries()));
    }
    command.addAll(List.of(Plain.class.getName(), folder.resolve("file").toString()));

    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.endsWith("JAVA_OPTIONS"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));

    assertEquals("", Files.readString(err));
    byte[] bytes = new byte[Plain.SIZE];
    bytes[Plain.SIZE / 2 + 1] = 2;
    bytes[Plain.SIZE / 2 + 2] = 3;
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    String read = Plain.SIZE + " bytes, CRC-32 " + Long.toHexString(checksum.getValue());
    String seen = used && Runtime.version().feature() >= 22 ? "hole" : "data";
    assertEquals(List.of(read, seen, "FileLockedException"), Files.readAllLines(out));
    assertEquals(0, process.exitValue());
  }

  /** The tests, of which {@code Plain} is one. */
  private static String classes() throws Exception {
    return Path.of(Plain.class.getProtectionDomain().getCodeSource().getLocation().toURI())
        .toString();
  }

  private static String libraries() {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return String.join(
        File.pathSeparator,
        Stream.of(path.split(File.pathSeparator)).filter(StartTest::isLibrary).toList());
  }

  private static boolean isLibrary(String entry) {
    Path path = Path.of(entry);
    String name =
        path.endsWith("target/classes")
            ? path.getParent().getParent().getFileName().toString()
            : path.getFileName().toString().replaceFirst("-[0-9].*", "");
    return LIBRARIES.contains(name);
  }
}
