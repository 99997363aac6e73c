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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands on vhdx images. */
class VhdxCommandsTest {
  private static final int SIZE = 6 << 20;

  @TempDir Path folder;
  private Shell shell;
  private byte[] content;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
    content = shell.disk("/disk", SIZE);
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private void assertDone(String... words) {
    assertEquals(0, vdisk(words), () -> String.join(" ", words) + ": " + shell.err);
  }

  private void write(String name, int offset, int value) throws IOException {
    OpenOptions options = OpenOptions.readWrite().withReferences(ReferencePolicy.sameDirectory());
    try (BlockDevice disk = Images.open(shell.file(name), options)) {
      disk.write(ByteBuffer.wrap(new byte[] {(byte) value}), offset);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "subformat=dynamic",
        "subformat=fixed",
        "block_size=1M,log_size=2M",
        "block_size=256M,block_state_zero=off",
        "logical_sector_size=4096"
      })
  void convertedThereAndBack(String options) throws IOException {
    assertDone("convert", "-f", "raw", "-O", "vhdx", "-o", options, "/disk", "/image");
    assertDone("check", "/image");
    assertDone("convert", "-f", "vhdx", "-O", "raw", "/image", "/back");
    assertArrayEquals(content, shell.content("/image", "vhdx"));
    assertEquals(-1, Files.mismatch(shell.file("/disk"), shell.file("/back")));
  }

  @Test
  void qemuReadsWhatWasConverted() throws IOException {
    Requirements.need("qemu-img");
    assertDone("convert", "-f", "raw", "-O", "vhdx", "/disk", "/image");
    assertEquals(
        0,
        shell.program("qemu-img", "compare", "-f", "raw", "-F", "vhdx", "/disk", "/image"),
        () -> shell.out);
  }

  @Test
  void childIsMadeWrittenCommittedAndRebased() throws IOException {
    assertDone("convert", "-f", "raw", "-O", "vhdx", "/disk", "/base.vhdx");
    assertDone("create", "-f", "vhdx", "-b", "base.vhdx", "-F", "vhdx", "/child.vhdx");
    write("/child.vhdx", 1000, 7);
    content[1000] = 7;
    assertArrayEquals(content, shell.content("/child.vhdx", "vhdx"));
    assertDone("commit", "/child.vhdx");
    assertArrayEquals(content, shell.content("/base.vhdx", "vhdx"));
    assertArrayEquals(content, shell.content("/child.vhdx", "vhdx"));
    write("/base.vhdx", 0, 9);
    assertEquals(1, vdisk("convert", "-O", "raw", "/child.vhdx", "/raw"));
    assertTrue(shell.err.contains("rebase -u"), shell.err);
    assertDone("rebase", "-u", "-b", "base.vhdx", "-F", "vhdx", "/child.vhdx");
    content[0] = 9;
    assertArrayEquals(content, shell.content("/child.vhdx", "vhdx"));
    assertDone("rebase", "-b", "", "/child.vhdx");
    Files.delete(shell.file("/base.vhdx"));
    assertArrayEquals(content, shell.content("/child.vhdx", "vhdx"));
    assertDone("check", "/child.vhdx");
  }

  /** The name is the user's own, so the policy for what images name is not asked. */
  @Test
  void rebaseTakesAParentFromAnotherFolder() throws IOException {
    Files.createDirectory(shell.file("/bases"));
    assertDone("convert", "-f", "raw", "-O", "vhdx", "/disk", "/base.vhdx");
    assertDone("create", "-f", "vhdx", "-b", "base.vhdx", "-F", "vhdx", "/child.vhdx");
    Files.copy(shell.file("/base.vhdx"), shell.file("/bases/base.vhdx"));
    assertDone("rebase", "-u", "-b", "bases/base.vhdx", "-F", "vhdx", "/child.vhdx");
    assertDone("info", "/child.vhdx");
    assertTrue(shell.out.contains("backing file: bases/base.vhdx"), shell.out);
    assertArrayEquals(content, shell.content("/child.vhdx", "vhdx"));
  }

  @Test
  void diskGrows() throws IOException {
    assertDone("convert", "-f", "raw", "-O", "vhdx", "/disk", "/image");
    assertDone("resize", "/image", "+3M");
    assertArrayEquals(Arrays.copyOf(content, SIZE + (3 << 20)), shell.content("/image", "vhdx"));
    assertEquals(1, vdisk("resize", "--shrink", "/image", "1M"));
    assertTrue(shell.err.contains("only grow"), shell.err);
  }

  @Test
  void parentOfAnotherFormatIsRefused() {
    assertEquals(1, vdisk("create", "-f", "vhdx", "-b", "disk", "-F", "raw", "/child.vhdx"));
    assertTrue(shell.err.contains("over VHDX images alone"), shell.err);
  }

  @Test
  void sizeIsMeasured() {
    assertDone("measure", "-O", "vhdx", "--size", "10G");
    assertEquals("required size: 4194304\nfully allocated size: 10741612544\n", shell.out);
  }
}
