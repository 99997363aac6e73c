package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Img2QcowTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int convert(String... words) {
    return shell.run(Img2Qcow::run, words);
  }

  @Test
  void imageReadsLikeItsSourceAndIsSparse() throws IOException {
    byte[] content = shell.disk("/disk", 32 << 20);
    for (String format : List.of("qcow", "qcow2")) {
      assertEquals(0, convert("--format", format, "/a", "/disk"));

      assertArrayEquals(content, shell.content("/a", format));
      assertTrue(Files.size(shell.file("/a")) < 2 << 20);
      assertEquals(List.of("a", "disk"), shell.names());
    }
  }

  @Test
  void linesAreThoseOfXen() throws IOException {
    shell.disk("/disk", 4 << 20);

    assertEquals(0, convert("/a", "/disk"));

    assertEquals("Created cksum: 1256657718\n", shell.out);
    assertTrue(
        shell.err.startsWith("Image size: [8192]\nQcow file created: size 8192 sectors\n\r["),
        shell.err);
    assertTrue(shell.err.contains("\r[" + "=".repeat(50) + "]     100%\nTRANSFER COMPLETE\n\n"));
    for (int percent = 2; percent <= 100; percent += 2) {
      assertTrue(shell.err.contains("     " + percent + "%"));
    }
    assertTrue(
        shell.err.matches(
            "(?s).*\n/a: virtual size 4 MiB \\(4194304 bytes\\), .* bytes\\) written, .* s\n"),
        shell.err);
  }

  @Test
  void barIsDrawnOnATerminal() throws IOException {
    shell.disk("/disk", 4 << 20);
    shell.terminal = true;

    assertEquals(0, convert("/a", "/disk"));

    assertTrue(shell.err.contains("\r[" + "=".repeat(50) + "]  100 %\nTRANSFER COMPLETE"));
  }

  @Test
  void sourceIsRawWhateverItLooksLike() throws IOException {
    shell.disk("/disk", 1 << 20);
    assertEquals(0, convert("-f", "qcow2", "/a", "/disk"));
    byte[] image = Files.readAllBytes(shell.file("/a"));

    assertEquals(0, convert("/b", "/a"));

    byte[] padded = Arrays.copyOf(image, image.length + 511 & -512);
    assertArrayEquals(padded, shell.content("/b", "qcow"));
  }

  @Test
  void lastSectorThatIsNotWholeIsKept() throws IOException {
    byte[] content = shell.disk("/disk", (1 << 20) + 100);

    assertEquals(0, convert("/a", "/disk"));

    assertArrayEquals(Arrays.copyOf(content, (1 << 20) + 512), shell.content("/a", "qcow"));
  }

  @Test
  void targetThatExistedStaysUntilTheNewOneIsComplete() throws IOException {
    byte[] before = shell.disk("/a", 1 << 20);

    assertEquals(1, convert("/a", "/missing"));
    assertEquals("img2qcow: /missing: no such file\n", shell.err);
    assertArrayEquals(before, Files.readAllBytes(shell.file("/a")));

    byte[] content = shell.disk("/disk", 2 << 20);
    assertEquals(0, convert("/a", "/disk"));
    assertArrayEquals(content, shell.content("/a", "qcow"));
  }

  @Test
  void sourceIsNotOverwritten() throws IOException {
    byte[] content = shell.disk("/disk", 1 << 20);

    assertEquals(1, convert("/disk", "/disk"));

    assertEquals("img2qcow: /disk and /disk are the same file\n", shell.err);
    assertArrayEquals(content, shell.content("/disk", "raw"));
  }

  @Test
  void misuseIs255() {
    assertEquals(255, convert("/a"));
    assertEquals("Qcow-utils: v1.0.0\nusage: img2qcow <QCOW FILENAME> <SRC IMAGE>\n", shell.err);
    assertEquals(255, convert("-x", "/a", "/b"));
    assertEquals(255, convert("-f", "raw", "/a", "/b"));
    assertEquals(0, convert("-h"));
    assertEquals("", shell.err);
  }

  @Test
  void qemuReadsTheSame() throws IOException, InterruptedException {
    Path qemu = Requirements.need("qemu-img");
    shell.disk("/disk", 9 << 20);
    for (String format : List.of("qcow", "qcow2")) {
      assertEquals(0, convert("-f", format, "/a", "/disk"));

      Process compare =
          new ProcessBuilder(qemu.toString(), "compare", "-f", "raw", "-F", format, "disk", "a")
              .directory(shell.folder.toFile())
              .redirectErrorStream(true)
              .start();
      String said = new String(compare.getInputStream().readAllBytes());
      assertEquals(0, compare.waitFor(), said);
    }
  }
}
