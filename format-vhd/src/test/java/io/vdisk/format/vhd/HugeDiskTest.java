package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The largest disk is opened, written at random and read in a heap of 40 MiB. */
@Timeout(300)
class HugeDiskTest {
  @ParameterizedTest
  @ValueSource(strings = {"empty", "full"})
  void randomWritesTakeLittleMemory(String kind, @TempDir Path folder) throws Exception {
    String path =
        String.join(
            File.pathSeparator,
            Path.of("target", "classes").toString(),
            Path.of("target", "test-classes").toString(),
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", ""));
    Path log = folder.resolve("log");
    int exit =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx40m",
                "-ea",
                "-cp",
                path,
                HugeDisk.class.getName(),
                folder.resolve("huge.vhd").toString(),
                kind)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    String output = Files.readString(log);
    assertEquals(0, exit, output);
    assertTrue(output.contains("done"), output);
    assertTrue(kind.equals("full") || output.contains(" 0 errors"), output);
  }
}
