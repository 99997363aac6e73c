package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of vhd-util, by its letters. */
class VhdCommandTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void create() throws IOException {
    shell = new Shell(folder.toRealPath());
    assertEquals(0, vhd("create", "-n", "/a.vhd", "-s", "5", "-S", "100"), () -> shell.err);
    write("/a.vhd", 1);
    assertEquals(0, vhd("snapshot", "-n", "/b.vhd", "-p", "a.vhd"), () -> shell.err);
    write("/b.vhd", 2);
  }

  private int vhd(String... words) {
    String[] all = new String[words.length + 1];
    all[0] = "vhd";
    System.arraycopy(words, 0, all, 1, words.length);
    return shell.run(Vdisk::run, all);
  }

  private void write(String name, int seed) throws IOException {
    byte[] bytes = new byte[100_000];
    new Random(seed).nextBytes(bytes);
    OpenOptions options = OpenOptions.readWrite().withReferences(ReferencePolicy.sameDirectory());
    try (BlockDevice disk = Images.open(shell.file(name), options)) {
      disk.write(ByteBuffer.wrap(bytes), seed * 50_000L);
    }
  }

  @Test
  void queriesAreAnsweredInVhdUtilsOrder() throws IOException {
    assertEquals(0, vhd("query", "-n", "/b.vhd", "-vpfmda"), () -> shell.err);
    assertEquals(
        String.join("\n", "6", "/a.vhd", "hidden: 0", "marker: 0", "chain depth: 2", "1", ""),
        shell.out);
    assertEquals(0, vhd("query", "-n", "/a.vhd", "-Sps"), () -> shell.err);
    assertEquals(Files.size(shell.file("/a.vhd")) + "\n/a.vhd has no parent\n100\n", shell.out);
  }

  @Test
  void fieldsAreSet() {
    assertEquals(0, vhd("set", "-n", "/b.vhd", "-f", "hidden", "-v", "1"), () -> shell.err);
    assertEquals(0, vhd("set", "-n", "/b.vhd", "-f", "marker", "-v", "9"), () -> shell.err);
    assertEquals(0, vhd("query", "-n", "/b.vhd", "-f", "-m"));
    assertEquals("hidden: 1\nmarker: 9\n", shell.out);
    assertEquals(1, vhd("set", "-n", "/b.vhd", "-f", "size", "-v", "1"));
    assertTrue(shell.err.contains("invalid field size"), shell.err);
  }

  @Test
  void aChildIsCoalescedIntoItsParent() throws IOException {
    byte[] content = shell.content("/b.vhd", "vhd");
    assertEquals(0, vhd("coalesce", "-n", "/b.vhd"), () -> shell.err);
    assertTrue(shell.out.startsWith("Coalesced "), shell.out);
    assertArrayEquals(content, shell.content("/a.vhd", "vhd"));
    assertEquals(1, vhd("coalesce", "-n", "/a.vhd"));
    assertTrue(shell.err.contains("non-differencing"), shell.err);
  }

  @Test
  void imagesGrowAndDoNotShrink() {
    assertEquals(0, vhd("resize", "-n", "/a.vhd", "-s", "1000"), () -> shell.err);
    assertEquals(0, vhd("query", "-n", "/a.vhd", "-v"));
    assertEquals("1000\n", shell.out);
    assertEquals(1, vhd("resize", "-n", "/a.vhd", "-s", "10"));
    assertEquals(0, vhd("check", "-n", "/a.vhd"), () -> shell.err);
    assertEquals("/a.vhd is valid\n", shell.out);
  }

  @Test
  void footersAreCheckedAndRepaired() throws IOException {
    Path file = shell.file("/a.vhd");
    byte[] image = Files.readAllBytes(file);
    image[64]++;
    image[image.length - 512 + 64]++;
    Files.write(file, image);
    assertEquals(22, vhd("check", "-n", "/a.vhd"));
    assertEquals("/a.vhd appears invalid\n", shell.out);
    assertEquals(0, vhd("repair", "-n", "/a.vhd"), () -> shell.err);
    assertEquals(0, vhd("check", "-n", "/a.vhd"), () -> shell.err);
  }

  @Test
  void parentsAreModifiedAndDisksFilled() throws IOException {
    Files.copy(shell.file("/a.vhd"), shell.file("/c.vhd"));
    byte[] content = shell.content("/b.vhd", "vhd");
    assertEquals(0, vhd("modify", "-n", "/b.vhd", "-p", "c.vhd"), () -> shell.err);
    assertEquals(0, vhd("query", "-n", "/b.vhd", "-pu"));
    assertEquals("c.vhd\n", shell.out);
    assertArrayEquals(content, shell.content("/b.vhd", "vhd"));
    assertEquals(0, vhd("fill", "-n", "/a.vhd"), () -> shell.err);
    assertEquals(0, vhd("query", "-n", "/a.vhd", "-a"));
    assertEquals("3\n", shell.out);
    assertEquals(1, vhd("snapshot", "-n", "/d.vhd", "-p", "b.vhd", "-l", "2"));
    assertTrue(shell.err.contains("snapshot depth exceeded"), shell.err);
    assertEquals(1, vhd("burn", "-n", "/a.vhd"));
    assertTrue(shell.err.contains("invalid COMMAND burn"), shell.err);
  }
}
