package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What qcow2 can beyond reading and writing, by the commands; qemu-img looks at the results. */
class FeatureCommandsTest {
  private static final int M = 1 << 20;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  private void succeed(String words) {
    assertEquals(0, vdisk(words.split(" ")), () -> words + ": " + shell.err);
  }

  private void fail(String words, String sentence) {
    assertEquals(1, vdisk(words.split(" ")), words);
    assertEquals("vdisk: " + sentence + "\n", shell.err);
  }

  private void scatter(String name, int seed) throws IOException {
    Random random = new Random(seed);
    OpenOptions options = OpenOptions.readWrite().withReferences(ReferencePolicy.sameDirectory());
    try (BlockDevice disk = Images.open(shell.file(name), options)) {
      for (int i = 0; i < 10; i++) {
        byte[] bytes = new byte[1 + random.nextInt(200_000)];
        Arrays.fill(bytes, (byte) random.nextInt(3));
        disk.write(ByteBuffer.wrap(bytes), random.nextInt((int) disk.size() - bytes.length));
      }
      disk.writeZeroes(random.nextInt(M / 2), M / 4);
    }
  }

  /** Ours and, where there is one, QEMU's check. */
  private void assertClean(String name) throws IOException {
    succeed("check " + name);
    if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
      assertEquals(0, shell.program("qemu-img", "check", name), shell.out);
    }
  }

  @Nested
  class Snapshot {
    @BeforeEach
    void create() throws IOException {
      succeed("create -q -f qcow2 /a 4M");
      scatter("/a", 1);
    }

    @Test
    void earlierStateComesBack() throws IOException {
      byte[] first = shell.content("/a", "qcow2");
      succeed("snapshot -c one /a");
      scatter("/a", 2);
      byte[] second = shell.content("/a", "qcow2");
      succeed("snapshot -c two /a");
      assertFalse(Arrays.equals(first, second));

      succeed("convert -l one -O raw /a /one");
      assertArrayEquals(first, shell.content("/one", "raw"));
      succeed("convert -l snapshot.id=2,snapshot.name=two -O raw /a /two");
      assertArrayEquals(second, shell.content("/two", "raw"));
      succeed("snapshot -a 1 /a");
      assertArrayEquals(first, shell.content("/a", "qcow2"));
      assertClean("/a");
      succeed("snapshot -d one /a");
      succeed("snapshot -l /a");
      assertEquals(List.of("two"), tags());
      assertArrayEquals(first, shell.content("/a", "qcow2"));
      assertClean("/a");
    }

    private List<String> tags() {
      return shell
          .out
          .lines()
          .skip(2)
          .map(line -> line.substring(10, line.indexOf(' ', 10)))
          .toList();
    }

    @Test
    void listIsThatOfQemu() throws IOException {
      Requirements.need("qemu-img");
      for (String name : new String[] {"one", "a snapshot with a long name"}) {
        assertEquals(0, shell.program("qemu-img", "snapshot", "-c", name, "/a"), shell.out);
      }

      succeed("snapshot -l /a");
      String ours = shell.out;
      assertEquals(0, shell.program("qemu-img", "snapshot", "-l", "/a"));
      assertEquals(shell.out, ours);
      succeed("info /a");
      assertTrue(shell.out.contains(ours), shell.out);
      succeed("info --output=json /a");
      assertTrue(shell.out.contains("\"name\": \"a snapshot with a long name\""), shell.out);
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
      shell.disk("/raw", M);
      succeed("snapshot -c one /a");

      fail("snapshot -d 1 /a", "/a: there is no snapshot '1'");
      fail("snapshot -a two /a", "/a: there is no snapshot 'two'");
      fail("convert -l two -O raw /a /b", "/a: there is no snapshot 'two'");
      fail("snapshot -l -d one /a", "-l, -a, -c and -d cannot be mixed (see vdisk --help)");
      fail("snapshot -f raw -c one /raw", "/raw: raw images have no snapshots");
      assertEquals(0, vdisk("snapshot", "-l", "-f", "raw", "/raw"));
      assertEquals("", shell.out);
    }
  }

  @Nested
  class Rebase {
    @ParameterizedTest
    @CsvSource({"4,4,4,1.1", "4,2,6,1.1", "2,6,4,1.1", "6,1,3,1.1", "2,6,4,0.10", "1,4,4,0.10"})
    void diskReadsTheSame(int old, int other, int top, String compat) throws IOException {
      succeed("create -q -f qcow2 /old " + old + "M");
      succeed("create -q -f qcow /other " + other + "M");
      scatter("/old", 1);
      scatter("/other", 2);
      succeed("create -q -f qcow2 -o compat=" + compat + " -b old -F qcow2 /top " + top + "M");
      scatter("/top", 3);
      byte[] content = shell.content("/top", "qcow2");

      for (String backing : new String[] {"other -F qcow", "old -F qcow2", ""}) {
        String[] words = ("rebase -p /top -b " + backing).split(" ");
        if (backing.isEmpty()) {
          words = new String[] {"rebase", "-b", "", "/top"};
        }
        assertEquals(0, vdisk(words), () -> shell.err);
        assertArrayEquals(content, shell.content("/top", "qcow2"), backing);
        assertClean("/top");
      }
      succeed("info /top");
      assertFalse(shell.out.contains("backing"), shell.out);
    }

    @Test
    void nameAloneIsChangedUnsafely() {
      succeed("create -q -f qcow2 /top 1M");

      succeed("rebase -u -b missing -F raw /top");
      succeed("info /top");
      assertTrue(
          shell.out.contains(
              "backing file: missing (actual path: /missing)\nbacking file format: raw\n"),
          shell.out);
      assertEquals(1, vdisk("rebase", "-b", "", "/top"));
      assertTrue(shell.err.contains("/missing: no such file"), shell.err);
      assertEquals(0, vdisk("rebase", "-u", "-b", "", "/top"));
      succeed("info /top");
      assertFalse(shell.out.contains("missing"), shell.out);
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
      succeed("create -q -f qcow2 /top 1M");
      shell.disk("/base", M);
      byte[] before = Files.readAllBytes(shell.file("/top"));

      fail("rebase /top", "-b BACKING is missing; with -u it may be (see vdisk --help)");
      fail(
          "rebase -b base /top",
          "-b needs -F with the format of base: nobody should have to guess it (see vdisk"
              + " --help)");
      fail("rebase -b base -F tape /top", "there is no format 'tape' (see vdisk --help)");
      fail("rebase -b top -F raw /top", "/top cannot be its own backing file (see vdisk --help)");
      fail("rebase -b missing -F raw /top", "/missing: no such file");
      fail(
          "rebase -f raw -b top -F qcow2 /base", "raw images cannot be given another backing file");

      assertArrayEquals(before, Files.readAllBytes(shell.file("/top")));
    }
  }

  @Nested
  class Commit {
    @Test
    void overlayIsEmptiedAndGoesOn() throws IOException {
      succeed("create -q -f qcow2 /base 2M");
      scatter("/base", 1);
      succeed("create -q -f qcow2 -b base -F qcow2 /top 4M");
      scatter("/top", 2);
      byte[] content = shell.content("/top", "qcow2");

      succeed("commit /top");

      assertArrayEquals(content, shell.content("/base", "qcow2"));
      assertArrayEquals(content, shell.content("/top", "qcow2"));
      assertClean("/base");
      assertClean("/top");
      succeed("check /top");
      assertTrue(shell.out.contains("\n0/64 = 0.00% allocated"), shell.out);
    }
  }

  @Nested
  class Resized {
    @Test
    void whatABackingFileHasBehindTheEndStaysHidden() throws IOException {
      shell.disk("/base", 4 * M);
      succeed("create -q -f qcow2 -b base -F raw /top 1M");
      byte[] content = shell.content("/top", "qcow2");

      succeed("resize /top +3M");
      assertArrayEquals(Arrays.copyOf(content, 4 * M), shell.content("/top", "qcow2"));
      succeed("resize --shrink /top -2M");
      assertArrayEquals(Arrays.copyOf(content, 2 * M), shell.content("/top", "qcow2"));
      assertClean("/top");
      succeed("resize --preallocation=metadata /top 3M");
      succeed("check /top");
      assertTrue(shell.out.contains("/48"), shell.out);
      assertArrayEquals(Arrays.copyOf(content, 3 * M), shell.content("/top", "qcow2"));
      assertClean("/top");
    }
  }

  @Nested
  class Amend {
    @Test
    void optionsGoToWhoKnowsThem() throws IOException {
      shell.disk("/base", M);
      succeed("create -q -f qcow2 /a 1M");
      scatter("/a", 1);

      succeed("amend -o compat=0.10 /a");
      succeed("info /a");
      assertTrue(shell.out.contains("compat: 0.10\n"), shell.out);
      assertClean("/a");
      succeed("amend -o compat=1.1,lazy_refcounts=on,size=2M /a");
      succeed("info /a");
      assertTrue(shell.out.contains("virtual size: 2 MiB"), shell.out);
      assertTrue(shell.out.contains("lazy refcounts: true\n"), shell.out);
      succeed("amend -o backing_file=base,backing_fmt=raw /a");
      succeed("info /a");
      assertTrue(shell.out.contains("backing file: base "), shell.out);
      assertClean("/a");
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
      shell.disk("/raw", M);
      succeed("create -q -f qcow2 /a 1M");

      fail("amend /a", "-o NAME=VALUE is missing (see vdisk --help)");
      fail("amend -f raw -o compat=1.1 /raw", "/raw: raw images cannot be amended");
      fail("amend -o encrypt.state=active /a", "/a: qcow2 images have no key slots");
      assertEquals(1, vdisk("amend", "-o", "cluster_size=4k", "/a"));
      assertTrue(shell.err.contains("cluster_size"), shell.err);
    }
  }

  @Nested
  class Bitmap {
    @Test
    void actionsAreDoneInTheirOrder() throws IOException {
      succeed("create -q -f qcow2 /a 4M");
      succeed("bitmap --add /a b0");
      succeed("bitmap --add --disable -g 4k /a b1");
      succeed("bitmap --merge b0 --enable --disable /a b1");
      succeed("bitmap --remove --add /a b0");

      succeed("info /a");
      assertTrue(
          shell.out.contains(
              """
                  bitmaps:
                      [0]:
              """),
          shell.out);
      String ours = shell.out;
      assertClean("/a");
      if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
        assertEquals(0, shell.program("qemu-img", "info", "/a"));
        assertEquals(bitmaps(shell.out), bitmaps(ours));
        succeed("measure -O qcow2 /a");
        String measured = shell.out;
        assertEquals(0, shell.program("qemu-img", "measure", "-O", "qcow2", "/a"));
        assertEquals(shell.out, measured);
      }
    }

    @Test
    void bitmapOfAnotherImageIsTakenOver() throws IOException {
      succeed("create -q -f qcow2 /a 4M");
      succeed("create -q -f qcow2 /b 4M");
      succeed("bitmap --add -g 4k /a source");
      scatter("/a", 1);
      succeed("bitmap --add --disable /b target");

      succeed("bitmap --merge source -b /a -F qcow2 /b target");

      try (BlockDevice a = Images.open(shell.file("/a"), OpenOptions.readOnly());
          BlockDevice b = Images.open(shell.file("/b"), OpenOptions.readOnly())) {
        DirtyBitmaps target = b.feature(DirtyBitmaps.class).orElseThrow();
        int ranges = 0;
        for (Extent written : a.feature(DirtyBitmaps.class).orElseThrow().dirty("source")) {
          ranges++;
          assertTrue(covers(target.dirty("target"), written), written::toString);
        }
        assertTrue(ranges > 3);
      }
      assertClean("/b");
    }

    private boolean covers(Iterable<Extent> ranges, Extent wanted) {
      for (Extent range : ranges) {
        if (range.offset() <= wanted.offset()
            && range.offset() + range.length() >= wanted.offset() + wanted.length()) {
          return true;
        }
      }
      return false;
    }

    private String bitmaps(String info) {
      return info.substring(info.indexOf("    bitmaps:"), info.indexOf("    refcount bits:"));
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
      succeed("create -q -f qcow2 /a 4M");
      shell.disk("/raw", M);
      succeed("bitmap --add /a b0");

      fail(
          "bitmap /a b0",
          "one of --add, --remove, --clear, --enable, --disable and --merge is missing (see vdisk"
              + " --help)");
      fail("bitmap --add /a b0", "there is a bitmap 'b0' already");
      fail("bitmap --clear -g 4k /a b0", "-g is for --add (see vdisk --help)");
      fail("bitmap --clear -b /a /a b0", "-b is for --merge (see vdisk --help)");
      fail("bitmap --add -F raw /a b1", "-F is for -b (see vdisk --help)");
      fail(
          "bitmap --add -g 3k /a b1",
          "the granularity is a power of two from 512 on (see vdisk --help)");
      fail("bitmap --add -f raw /raw b0", "/raw: raw images have no bitmaps");
      fail("bitmap --add /a", "expected FILE and BITMAP, found 1 operands (see vdisk --help)");
      assertEquals(1, vdisk("bitmap", "--remove", "/a", "b9"));
      assertTrue(shell.err.contains("'b9'"), shell.err);
    }
  }
}
