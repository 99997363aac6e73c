package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images of several files get their names, and leave nothing behind where they fail. */
class VmdkCommandsTest {
  private static final int SIZE = 3 << 20;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
    shell.disk("/disk.raw", SIZE);
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "monolithicFlat, disk-flat.vmdk",
    "twoGbMaxExtentSparse, disk-s001.vmdk",
    "twoGbMaxExtentFlat, disk-f001.vmdk",
    "vmfs, disk-flat.vmdk"
  })
  void extentsAreCalledAfterTheImage(String subformat, String extent) throws IOException {
    byte[] content = shell.content("/disk.raw", "raw");
    String options = "subformat=" + subformat + ",adapter_type=lsilogic,hwversion=10";
    assertEquals(
        0,
        vdisk("convert", "-f", "raw", "-O", "vmdk", "-o", options, "/disk.raw", "/disk.vmdk"),
        () -> shell.err);
    assertEquals(List.of(extent, "disk.raw", "disk.vmdk"), names());
    assertArrayEquals(content, shell.content("/disk.vmdk", "vmdk"));
    String descriptor = Files.readString(folder.resolve("disk.vmdk"));
    assertTrue(descriptor.contains("\"" + extent + "\""), descriptor);
    assertTrue(descriptor.contains("ddb.adapterType = \"lsilogic\""), descriptor);
    assertTrue(descriptor.contains("ddb.virtualHWVersion = \"10\""), descriptor);

    // A second one does not overwrite the extent of the first, and takes nothing away.
    assertEquals(
        1, vdisk("convert", "-f", "raw", "-O", "vmdk", "-o", options, "/disk.raw", "/disk.vmdk"));
    assertTrue(shell.err.contains(extent), shell.err);
    assertEquals(List.of(extent, "disk.raw", "disk.vmdk"), names());
    assertArrayEquals(content, shell.content("/disk.vmdk", "vmdk"));
  }

  @Test
  void embeddedDescriptorNamesTheImage() throws IOException {
    assertEquals(
        0, vdisk("convert", "-f", "raw", "-O", "vmdk", "/disk.raw", "/disk.vmdk"), () -> shell.err);
    byte[] bytes = Files.readAllBytes(folder.resolve("disk.vmdk"));
    String text = new String(bytes, 512, 10_240, java.nio.charset.StandardCharsets.US_ASCII);
    assertTrue(text.contains("SPARSE \"disk.vmdk\""), text);
  }

  @Test
  void childIsMadeOverItsParentAndCommitted() throws IOException {
    byte[] content = shell.content("/disk.raw", "raw");
    assertEquals(0, vdisk("convert", "-f", "raw", "-O", "vmdk", "/disk.raw", "/base.vmdk"));
    assertEquals(
        0,
        vdisk("create", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "/child.vmdk"),
        () -> shell.err);
    assertArrayEquals(content, shell.content("/child.vmdk", "vmdk"));
    assertEquals(0, vdisk("info", "/child.vmdk"), () -> shell.err);
    assertTrue(shell.out.contains("backing file: base.vmdk"), shell.out);
    assertEquals(0, vdisk("commit", "-q", "/child.vmdk"), () -> shell.err);
    assertArrayEquals(content, shell.content("/child.vmdk", "vmdk"));
    assertEquals(0, vdisk("check", "/child.vmdk"), () -> shell.err);
  }
}
