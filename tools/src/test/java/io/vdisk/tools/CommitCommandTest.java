package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommitCommandTest {
  private static final int SIZE = 4 << 20;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
    shell.disk("/base", SIZE);
    vdisk("create", "-f", "qcow2", "-b", "base", "-F", "raw", "/middle");
    vdisk("create", "-f", "qcow", "-b", "middle", "-F", "qcow2", "/top");
    scatter("/middle", 1);
    scatter("/top", 2);
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private void scatter(String name, int seed) throws IOException {
    Random random = new Random(seed);
    OpenOptions options = OpenOptions.readWrite().withReferences(ReferencePolicy.sameDirectory());
    try (BlockDevice disk = Images.open(shell.file(name), options)) {
      for (int i = 0; i < 10; i++) {
        byte[] bytes = new byte[1 + random.nextInt(100_000)];
        random.nextBytes(bytes);
        disk.write(ByteBuffer.wrap(bytes), random.nextInt((int) disk.size() - bytes.length));
      }
      disk.writeZeroes(random.nextInt(SIZE / 4), SIZE / 8);
    }
  }

  @Test
  void backingFileReadsAsTheOverlayDid() throws IOException {
    byte[] base = shell.content("/base", "raw");
    byte[] content = shell.content("/top", "qcow");

    assertEquals(0, vdisk("commit", "-p", "/top"), () -> shell.err);

    assertEquals("Image committed.\n", shell.out);
    assertTrue(shell.err.endsWith("100 %\n"), shell.err);
    assertArrayEquals(content, shell.content("/middle", "qcow2"));
    assertArrayEquals(content, shell.content("/top", "qcow"));
    assertArrayEquals(base, shell.content("/base", "raw"));
    assertEquals(0, vdisk("check", "/middle"));
  }

  @Test
  void rateIsASize() throws IOException {
    byte[] content = shell.content("/top", "qcow");

    assertEquals(1, vdisk("commit", "-r", "fast", "/top"));
    assertEquals("vdisk: 'fast' is not a size (see vdisk --help)\n", shell.err);

    assertEquals(0, vdisk("commit", "-r", "1G", "/top"), () -> shell.err);
    assertEquals(0, vdisk("convert", "-r", "1G", "-O", "raw", "/top", "/copy"), () -> shell.err);
    assertArrayEquals(content, shell.content("/middle", "qcow2"));
    assertArrayEquals(content, shell.content("/copy", "raw"));
  }

  @Test
  void chainIsCommittedDownToABase() throws IOException {
    byte[] content = shell.content("/top", "qcow");
    long before = Files.size(shell.file("/top"));

    assertEquals(0, vdisk("commit", "-q", "-b", "base", "/top"), () -> shell.err);

    assertEquals("", shell.out);
    assertArrayEquals(content, shell.content("/base", "raw"));
    assertArrayEquals(content, shell.content("/top", "qcow"));
    assertEquals(before, Files.size(shell.file("/top")));
  }

  @Test
  void baseGrowsWithItsOverlay() throws IOException {
    assertEquals(0, vdisk("create", "-f", "qcow2", "-b", "base", "-F", "raw", "/large", "6M"));
    scatter("/large", 3);
    byte[] content = shell.content("/large", "qcow2");

    assertEquals(0, vdisk("commit", "-d", "/large"), () -> shell.err);

    assertArrayEquals(content, shell.content("/base", "raw"));
  }

  @Test
  void smallerOverlayLeavesTheRestOfTheBase() throws IOException {
    byte[] base = shell.content("/base", "raw");
    assertEquals(0, vdisk("create", "-f", "qcow2", "-b", "base", "-F", "raw", "/small", "2M"));
    scatter("/small", 3);
    byte[] content = shell.content("/small", "qcow2");

    assertEquals(0, vdisk("commit", "-d", "/small"), () -> shell.err);

    System.arraycopy(content, 0, base, 0, content.length);
    assertArrayEquals(base, shell.content("/base", "raw"));
  }

  @Test
  void qemuCommitsTheSame() throws IOException {
    Requirements.need("qemu-img");
    for (String name : new String[] {"base", "middle"}) {
      Files.copy(shell.file("/" + name), shell.file("/q-" + name));
    }
    shell.program("qemu-img", "rebase", "-u", "-b", "q-base", "-F", "raw", "/q-middle");

    assertEquals(0, vdisk("commit", "-d", "/middle"), () -> shell.err);
    assertEquals(0, shell.program("qemu-img", "commit", "-d", "/q-middle"), shell.out);

    assertEquals(-1, Files.mismatch(shell.file("/base"), shell.file("/q-base")));
  }

  @Test
  void whatCannotBeCommittedIsRefused() throws IOException {
    byte[] base = shell.content("/base", "raw");

    assertEquals(1, vdisk("commit", "-f", "raw", "/base"));
    assertEquals("vdisk: /base has no backing file\n", shell.err);
    assertEquals(1, vdisk("commit", "-b", "/other", "/top"));
    assertEquals("vdisk: /other is not in the chain of backing files of /top\n", shell.err);
    assertEquals(1, vdisk("commit", "--backing-policy=deny", "/top"));
    assertTrue(shell.err.contains("'middle'"), shell.err);
    assertEquals(1, vdisk("commit"));
    try (BlockDevice reader =
        Images.open(shell.file("/base"), OpenOptions.readWrite().withFormat("raw"))) {
      assertEquals(SIZE, reader.size());
      assertEquals(1, vdisk("commit", "-b", "base", "/top"));
    }

    assertArrayEquals(base, Arrays.copyOf(shell.content("/base", "raw"), base.length));
  }
}
