package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QcowCreateTest {
  private static final String USAGE =
      """
      Qcow-utils: v1.0.0
      usage: qcow-create [-h help] [-r reserve] [-f format] <SIZE(MB)> <FILENAME> [<BACKING_FILENAME>]
      """;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int create(String... words) {
    return shell.run(QcowCreate::run, words);
  }

  @Test
  void sparseImageIsMadeWithTheLinesOfXen() throws IOException {
    assertEquals(0, create("4", "/a"));

    assertEquals("Creating file size 4194304, name /a\n", shell.err);
    assertEquals("Created cksum: 1256657718\n", shell.out); // what Xen's tool printed for 4 MiB
    assertEquals(8192, Files.size(shell.file("/a")));
    assertEquals(4 << 20, shell.content("/a", "qcow").length);
    assertEquals(List.of("a"), shell.names());
  }

  @Test
  void reservedImageHasItsLength() throws IOException {
    for (String option : List.of("-r", "-p", "--reserve")) {
      assertEquals(0, create(option, "1", "/a"));

      assertTrue(shell.out.endsWith("\nFile truncated to length 1057280\n"), shell.out);
      assertEquals(1_057_280, Files.size(shell.file("/a")));
    }
  }

  @Test
  void qcow2HasTheSizeThatWasAskedFor() throws IOException {
    assertEquals(0, create("-f", "qcow2", "1", "/a"));
    assertEquals("", shell.out);
    assertEquals(1 << 20, shell.content("/a", "qcow2").length);
    assertEquals(0, create("-rf", "qcow2", "--", "1", "/a"));
    assertEquals(0, create("1536k", "/a", "--format=qcow2"));
    assertEquals(3 << 19, shell.content("/a", "qcow2").length);
  }

  @Test
  void backingFileGivesContentAndSize() throws IOException {
    byte[] content = shell.disk("/base", 3 << 20);
    for (String format : List.of("qcow", "qcow2")) {
      assertEquals(0, create("-f", format, "0", "/a", "/base"));

      assertEquals("Creating file size 0, name /a\n", shell.err);
      assertArrayEquals(content, shell.content("/a", format));
    }
  }

  @Test
  void backingFileMustBeThere() throws IOException {
    assertEquals(1, create("0", "/a", "/base"));

    assertTrue(shell.err.endsWith("\nqcow-create: /base: no such file\n"), shell.err);
    assertEquals(List.of(), shell.names());
  }

  @Test
  void imageIsNotItsOwnBackingFile() throws IOException {
    byte[] content = shell.disk("/a", 1 << 20);

    assertEquals(1, create("0", "/a", "/a"));

    assertTrue(shell.err.contains("/a cannot be its own backing file"), shell.err);
    assertArrayEquals(content, shell.content("/a", "raw"));
  }

  @Test
  void failureIsAnExitCodeAndLeavesNothing() throws IOException {
    assertEquals(1, create("0", "/a"));
    assertEquals(
        "Creating file size 0, name /a\nqcow-create: a qcow image cannot be empty\n", shell.err);
    assertEquals(1, create("1", "/nowhere/a"));
    assertTrue(shell.err.endsWith("qcow-create: /nowhere: no such file\n"), shell.err);
    assertEquals(1, create("1", "/"));
    assertTrue(shell.err.endsWith("is a directory\n"), shell.err);
    assertEquals(List.of(), shell.names());
  }

  @Test
  void misuseIs255() {
    assertEquals(255, create());
    assertEquals(USAGE, shell.err);
    assertEquals(255, create("1", "/a", "/b", "/c"));
    assertEquals(USAGE, shell.err);
    assertEquals(255, create("-x", "1", "/a"));
    assertEquals("Unknown option\n" + USAGE, shell.err);
    assertEquals(255, create("-f", "vhd", "1", "/a"));
    assertEquals("Unsupport format:vhd\n", shell.err);
    assertEquals(255, create("1", "x".repeat(1001)));
    assertEquals("Device name too long\n", shell.err);
    assertEquals(255, create("10abc", "/a"));
    assertEquals("'10abc' is not a size\n" + USAGE, shell.err);
  }

  @Test
  void helpIsNoFailure() {
    assertEquals(0, create("-h"));
    assertTrue(shell.out.startsWith(USAGE), shell.out);
    assertEquals(0, create("--help"));
    assertEquals(0, create("--version"));
    assertTrue(shell.out.matches("qcow-create \\d+\\.\\d+\\S*\n"), shell.out);
    assertEquals("", shell.err);
  }
}
