package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CreateCommandTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private int create(String words) {
    return vdisk(("create " + words).split(" "));
  }

  @Test
  void withoutAFormatItIsASparseRawFile() throws IOException {
    assertEquals(0, create("/a 3M"));

    assertEquals("Formatting '/a', fmt=raw size=3145728\n", shell.out);
    assertEquals(3 << 20, Files.size(shell.file("/a")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/a 1M",
        "/a 1.5k",
        "-f raw -o preallocation=full /a 1M",
        "-f qcow2 /a 10",
        "-f qcow2 -o size=5M /a",
        "-f qcow2 -o lazy_refcounts /a 1G",
        "-f qcow2 -o cluster_size=4k,compat=v2,preallocation=metadata -o refcount_bits=16 /a 1M",
        "-f qcow2 -b base -F raw /a",
        "-f qcow2 -b base -F raw /a 8M",
        "-f qcow2 -o backing_file=base,backing_fmt=raw /a",
        "-f qcow2 -u -b missing,with,commas -F raw /a 1T",
        "-f qcow /a 3M",
        "-f qcow -b base -F raw /a",
        "-f qcow2 --object secret,id=s,data=abc -o encrypt.format=aes,encrypt.key-secret=s /a 1M"
      })
  void imageAndLineAreThoseOfQemu(String words) throws IOException {
    Requirements.need("qemu-img");
    shell.disk("/base", 1 << 20);

    assertEquals(0, create(words), () -> shell.err);
    String line = shell.out;
    assertTrue(line.startsWith("Formatting"), line);
    String format = words.contains("qcow2") ? "qcow2" : words.contains("qcow") ? "qcow" : "raw";
    String[] info = {"qemu-img", "info", "-f", format, "/a"};
    assertEquals(0, shell.program(info), shell.out);
    String ours = shell.out;
    assertEquals(0, shell.program(("qemu-img create " + words).split(" ")), shell.out);
    assertEquals(shell.out, line);
    assertEquals(0, shell.program(info), shell.out);
    assertEquals(comparable(shell.out), comparable(ours));
  }

  private static List<String> comparable(String info) {
    return info.lines().filter(line -> !line.startsWith("disk size")).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/a | /a needs a size",
        "-f qcow2 /a | /a needs a size",
        "/a 1M 2M | expected FILE and SIZE, found 3 operands",
        "-f qcow2 -o size=1M /a 1M | the size of /a is said twice",
        "/a 1Q | '1Q' is not a size",
        "/a -- -1 | '-1' is not a size",
        "-f qcow2 -b base /a | -b needs -F with the format of base: nobody should have to guess it",
        "-f qcow2 -F raw /a 1M | a backing format without a backing file",
        "-f qcow2 -b /a -F raw /a 1M | /a cannot be its own backing file",
        "-f qcow2 -u -b base -F raw /a | /a needs a size"
      })
  void whatQemuRefusesIsRefusedInOneSentence(String words, String sentence) throws IOException {
    shell.disk("/base", 1 << 20);
    assertEquals(1, create(words));

    assertEquals("vdisk: " + sentence + " (see vdisk --help)\n", shell.err);
    assertEquals("", shell.out);
    assertEquals(List.of("base"), shell.names());
  }

  @Test
  void failureKeepsWhatWasThere() throws IOException {
    byte[] before = shell.disk("/a", 1 << 20);

    assertEquals(1, create("-f qcow2 -b missing -F raw /a 1M"));
    assertEquals("vdisk: /missing: no such file\n", shell.err);
    assertEquals(1, create("-f raw -b a -F raw /b 1M"));
    assertEquals("vdisk: a raw image has no backing file\n", shell.err);
    assertEquals(1, create("-f tape /a 1M"));
    assertTrue(shell.err.startsWith("vdisk: /a: there is no format 'tape'"), shell.err);
    assertEquals(1, create("-f qcow2 -o colour=blue /a 1M"));

    assertArrayEquals(before, shell.content("/a", "raw"));
    assertEquals(List.of("a"), shell.names());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-f qcow -o cluster_size=4k,",
        "-f qcow2 -o cluster_size=4k,",
        "-f vhd -o block_size=64k,metadata_size=8M,",
        "-f vhdx -o block_size=2M,log_size=1M,",
        "-f vmdk -o grain_size=8K,"
      })
  void whatAFormatDeclaresAsASizeMayHaveASuffix(String words) {
    assertEquals(0, create(words + "size=1M /a"), () -> shell.err);
  }

  @Test
  void quietPrintsNothing() {
    assertEquals(0, create("-q -f qcow2 /a 1M"));

    assertEquals("", shell.out + shell.err);
  }

  @Test
  void nameOfTheBackingFileCountsFromTheImage() throws IOException {
    Files.createDirectory(shell.file("/below"));
    byte[] content = shell.disk("/below/base", 1 << 20);

    assertEquals(0, create("-f qcow2 -b base -F raw /below/a 2M"));

    assertArrayEquals(content, Arrays.copyOf(shell.content("/below/a", "qcow2"), content.length));
    assertFalse(Files.exists(shell.file("/base")));
  }
}
