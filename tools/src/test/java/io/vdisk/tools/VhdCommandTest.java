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
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The letters, lines and exit codes of Xen's vhd-util. */
class VhdCommandTest {
  private static final int M = 1 << 20;
  private static final int SECTOR = 512;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vhd(String words) {
    return shell.run(Vdisk::run, ("vhd " + words).split(" "));
  }

  /** Runs a command that shall print this and nothing else. */
  private void prints(String words, String lines) {
    assertEquals(0, vhd(words), () -> words + ": " + shell.out + shell.err);
    assertEquals(lines, shell.out, words);
  }

  private void fails(int code, String words, String lines) {
    assertEquals(code, vhd(words), () -> words + ": " + shell.out + shell.err);
    assertEquals(lines, shell.out, words);
  }

  private OpenOptions writing() {
    return OpenOptions.readWrite()
        .withFormat("vhd")
        .withReferences(ReferencePolicy.sameDirectory());
  }

  /** Writes sectors that hold their offset's hash; some of them are zero. */
  private void scatter(String name, int seed) throws IOException {
    Random random = new Random(seed);
    try (BlockDevice disk = Images.open(shell.file(name), writing())) {
      for (int i = 0; i < 10; i++) {
        byte[] bytes = new byte[SECTOR * (1 + random.nextInt(20))];
        Arrays.fill(bytes, (byte) random.nextInt(3));
        long place = random.nextInt((int) (disk.size() - bytes.length) / SECTOR);
        disk.write(ByteBuffer.wrap(bytes), place * SECTOR);
      }
    }
  }

  private byte[] content(String name) throws IOException {
    try (BlockDevice disk = Images.open(shell.file(name), writing())) {
      ByteBuffer bytes = ByteBuffer.allocate((int) disk.size());
      disk.read(bytes, 0);
      return bytes.array();
    }
  }

  private long length(String name) throws IOException {
    return Files.size(shell.file(name));
  }

  @Test
  void sizesAreMebibytesAndWholeBlocks() throws IOException {
    prints("create -n /a -s 5", "");
    prints("query -n /a -v", "6\n");
    prints("create -n /fixed -s 3 -r", "");
    assertEquals(4 * M + SECTOR, length("/fixed"));
  }

  @Test
  void queryPrintsInOneOrder() throws IOException {
    prints("create -n /a -s 4 -S 10", "");
    prints("snapshot -n /b -p /a -e", "");
    prints(
        "query -n /b -Samdfpsv",
        "4\n" + length("/b") + "\n/a\nhidden: 0\nmarker: 0\nchain depth: 2\n0\n4\n");
    prints("query -n /a -p", "/a has no parent\n");
    prints("query -n /a -S", "10\n");
    prints("query --debug -n /b -pu", "a\n");
    Files.delete(shell.file("/a"));
    fails(2, "query -n /b -p", "query failed\n");
    fails(2, "query -n /b -d", "error checking chain depth: -2\n");
    fails(2, "query -n /none -v", "error opening /none: -2\n");
  }

  @Test
  void snapshotPassesOverEmptyImagesAndMindsTheLimit() throws IOException {
    prints("create -n /a -s 4", "");
    scatter("/a", 1);
    prints("snapshot -n /b -p /a", "");
    prints("snapshot -n /c -p /b", "");
    prints("query -n /c -p", "/a\n");
    prints("snapshot -n /d -p /b -e", "");
    prints("query -n /d -p", "/b\n");
    scatter("/d", 2);
    fails(28, "snapshot -n /e -p /d -l 3", "snapshot depth exceeded: current depth: 3, limit: 3\n");
    prints("snapshot -n /e -p /d -l 4", "");
    assertArrayEquals(content("/d"), content("/e"));
  }

  @Test
  void rawParentIsTakenAtItsWord() throws IOException {
    byte[] raw = new byte[2 * M];
    new Random(3).nextBytes(raw);
    Files.write(shell.file("/raw"), raw);
    prints("snapshot -n /a -p /raw -m", "");
    assertArrayEquals(raw, content("/a"));
    prints("query -n /a -p", "/raw\n");
    scatter("/a", 4);
    byte[] wanted = content("/a");
    assertEquals(0, vhd("coalesce -n /a"));
    assertArrayEquals(wanted, Files.readAllBytes(shell.file("/raw")));
  }

  @Test
  void coalesceWritesWhatTheChildHoldsAndCanBeRepeated() throws IOException {
    prints("create -n /a -s 6", "");
    scatter("/a", 5);
    prints("snapshot -n /b -p /a", "");
    try (BlockDevice disk = Images.open(shell.file("/b"), writing())) {
      disk.write(ByteBuffer.allocate(3 * SECTOR), 0); // zeroes count
      disk.write(ByteBuffer.allocate(SECTOR).put(0, (byte) 7), 4 * M);
    }
    scatter("/b", 6);
    byte[] wanted = content("/b");
    assertEquals(0, vhd("coalesce -n /b"));
    String first = shell.out;
    assertTrue(first.matches("Coalesced [0-9]+ sectors"), first);
    assertArrayEquals(wanted, content("/a"));
    assertArrayEquals(wanted, content("/b"));
    assertEquals(0, vhd("coalesce -n /b -p"));
    assertTrue(shell.out.endsWith("100.00%\n" + first), shell.out);
    fails(22, "coalesce -n /a", "coalescing of non-differencing disks is not supported\n");
  }

  @Test
  void fillGivesEveryBlockItsPlace() throws IOException {
    prints("create -n /a -s 8", "");
    scatter("/a", 7);
    byte[] wanted = content("/a");
    prints("fill -n /a -b -f 4096 -t 4096", "");
    assertEquals(0, vhd("query -n /a -a"));
    prints("fill -n /a", "");
    prints("query -n /a -a", "4\n");
    assertArrayEquals(wanted, content("/a"));
    fails(22, "fill -n /a -f 1", "-f/-t can only be used with -b\n");
    fails(22, "fill -n /a -b -f 9 -t 3", "invalid sector range 9-3\n");
  }

  @Test
  void resizeGrowsAndFastNeedsRoom() throws IOException {
    prints("create -n /a -s 4 -S 8", "");
    scatter("/a", 8);
    byte[] before = content("/a");
    prints("resize -n /a -s 8 -f", "");
    fails(22, "resize -n /a -s 10 -f", "");
    prints("resize -n /a -s 60000 -j /journal", "");
    prints("query -n /a -v", "60000\n");
    prints("check -n /a", "/a is valid\n");
    try (BlockDevice disk = Images.open(shell.file("/a"), writing())) {
      ByteBuffer bytes = ByteBuffer.allocate(8 * M);
      disk.read(bytes, 0);
      assertArrayEquals(Arrays.copyOf(before, 8 * M), bytes.array());
    }
    fails(22, "resize -n /a -s 2 -f", "/a: size (2097152) < curr size (62914560000)\n");
    assertEquals(22, vhd("resize -n /a -s 2"));
  }

  @Test
  void fieldsAreSetAndShown() {
    prints("create -n /a -s 4", "");
    prints("set -n /a -f hidden -v 1", "");
    prints("set -n /a -f marker -v 200", "");
    prints("query -n /a -fm", "hidden: 1\nmarker: 200\n");
    fails(22, "set -n /a -f colour -v 1", "invalid field colour\n");
    fails(22, "set -n /a -f hidden -v 256", "invalid value 256\n");
    fails(2, "set -n /none -f hidden -v 1", "error opening /none: -2\n");
    prints("check -n /a", "/a is valid\n");
  }

  @Test
  void modifyLinksToAnotherParentAndForgetsData() throws IOException {
    prints("create -n /a -s 4", "");
    scatter("/a", 9);
    Files.copy(shell.file("/a"), shell.file("/copy"));
    prints("snapshot -n /b -p /a", "");
    scatter("/b", 10);
    byte[] wanted = content("/b");
    prints("modify -n /b -p /copy", "");
    prints("query -n /b -p", "/copy\n");
    assertArrayEquals(wanted, content("/b"));
    prints("modify -n /b -z", "");
    assertArrayEquals(content("/copy"), content("/b"));
    prints("create -n /fixed -s 4 -r", "");
    fails(22, "modify -n /fixed -p /copy", "failed to set parent to '/copy': -22\n");
    fails(38, "modify -n /fixed -z", "failed to zero VHD: -38\n");
  }

  @Test
  void lostFooterIsAFaultUnlessItIsToBeIgnoredAndRepaired() throws IOException {
    prints("create -n /a -s 4", "");
    scatter("/a", 11);
    byte[] wanted = content("/a");
    byte[] file = Files.readAllBytes(shell.file("/a"));
    Arrays.fill(file, file.length - SECTOR, file.length, (byte) 0);
    Files.write(shell.file("/a"), file);
    assertEquals(22, vhd("check -n /a"));
    assertTrue(shell.out.contains("/a appears invalid; dumping metadata\n"), shell.out);
    assertEquals(0, vhd("check -n /a -i"));
    assertTrue(shell.out.endsWith("/a is valid\n"), shell.out);
    prints("repair -n /a", "");
    prints("check -n /a", "/a is valid\n");
    assertArrayEquals(wanted, content("/a"));
  }

  @Test
  void checkFollowsTheChain() throws IOException {
    prints("create -n /a -s 4", "");
    scatter("/a", 12);
    prints("snapshot -n /b -p /a", "");
    scatter("/b", 13);
    prints("check -n /b -p -t", "/b is valid\n/a is valid\n");
    assertEquals(0, vhd("check -n /b -s"));
    assertTrue(
        shell.out.matches(
            "(?s).*/b: secs allocated: 0x[0-9a-f]+ secs written: 0x[0-9a-f]+ \\([0-9.]+%\\)\n"),
        shell.out);
    Files.delete(shell.file("/a"));
    assertEquals(2, vhd("check -n /b"));
    prints("create -n /fixed -s 2 -r", "");
    prints("check -n /fixed", "");
  }

  @Test
  void scanPrintsALineForEachAndTrees() throws IOException {
    prints("create -n /base.vhd -s 4", "");
    scatter("/base.vhd", 14);
    prints("snapshot -n /left.vhd -p /base.vhd", "");
    prints("snapshot -n /right.vhd -p /base.vhd", "");
    prints("set -n /base.vhd -f hidden -v 1", "");
    String base = " capacity=4194304 size=" + length("/base.vhd") + " hidden=1 parent=none\n";
    String child = " capacity=4194304 size=" + length("/left.vhd") + " hidden=0 parent=base.vhd";
    prints(
        "scan -f -m /*.vhd",
        "vhd=base.vhd" + base + "vhd=left.vhd" + child + "\nvhd=right.vhd" + child + "\n");
    prints(
        "scan -p -m /*.vhd",
        "vhd=base.vhd" + base + "   vhd=left.vhd" + child + "\n   vhd=right.vhd" + child + "\n");
    prints("scan -p /left.vhd", "vhd=left.vhd" + child + " (not found in scan)\n");
    prints("scan -a /left.vhd", "vhd=left.vhd" + child + "\nvhd=base.vhd" + base);
    prints(
        "scan -M /base.vhd", "vhd=base.vhd" + base.replace(" parent", " marker=0 keyhash= parent"));
    Files.writeString(shell.file("/bad.vhd"), "nothing");
    String bad = "vhd=/bad.vhd scan-error=-22 error-message='opening file'\n";
    fails(22, "scan /bad.vhd /base.vhd", bad);
    prints("scan -c /bad.vhd /base.vhd", bad + "vhd=base.vhd" + base);
    prints("scan -m /*.none", "");
  }

  @ParameterizedTest
  @CsvSource({
    "create, 22",
    "snapshot, 0",
    "query, 0",
    "set, 22",
    "repair, 22",
    "resize, 22",
    "fill, 22",
    "coalesce, 22",
    "modify, 22",
    "scan, 0",
    "check, 0",
    "revert, 22"
  })
  void helpHasTheExitCodeOfXen(String command, int code) {
    assertEquals(code, vhd(command + " -h"));
    assertTrue(shell.out.contains("options: "), shell.out);
    assertEquals(22, vhd(command + " --nothing"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "read",
        "create -n /a",
        "create -s 4",
        "create -n /a -s 4 -S 2",
        "create -n /a -s four",
        "create -n /a -s -4",
        "snapshot -n /a",
        "query",
        "scan",
        "scan -l volumes",
        "revert -n /a",
        "coalesce -n /a -a /b"
      })
  void wrongCallIsEinvalAndMakesNothing(String words) throws IOException {
    assertEquals(22, vhd(words));
    assertTrue(shell.names().isEmpty());
  }
}
