package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands resize, measure, map, and info of a chain. */
class SmallCommandsTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  /** A qcow2 with some data over a raw file. */
  private void chain() throws IOException {
    shell.disk("/base", 1 << 20);
    assertEquals(0, vdisk("create", "-f", "qcow2", "-b", "base", "-F", "raw", "/top", "2M"));
    OpenOptions options = OpenOptions.readWrite().withoutBacking();
    try (BlockDevice disk = Images.open(shell.file("/top"), options)) {
      disk.write(ByteBuffer.allocate(128 << 10).put(5, (byte) 1), 256 << 10);
      disk.writeZeroes(512 << 10, 64 << 10);
    }
  }

  @Nested
  class Resize {
    @ParameterizedTest
    @CsvSource({"3M,3145728", "+1M,2097152", "+512,1049088", "1M,1048576"})
    void rawDiskGrows(String size, long bytes) throws IOException {
      byte[] content = shell.disk("/a", 1 << 20);

      assertEquals(0, vdisk("resize", "-f", "raw", "/a", size), () -> shell.err);

      assertEquals("Image resized.\n", shell.out);
      assertArrayEquals(Arrays.copyOf(content, (int) bytes), shell.content("/a", "raw"));
    }

    @Test
    void shrinkingMustBeSaid() throws IOException {
      byte[] content = shell.disk("/a", 1 << 20);

      assertEquals(1, vdisk("resize", "-f", "raw", "/a", "512k"));
      assertTrue(shell.err.contains("--shrink"), shell.err);
      assertEquals(1, vdisk("resize", "-f", "raw", "/a", "-512k"));
      assertArrayEquals(content, shell.content("/a", "raw"));
      assertEquals(0, vdisk("resize", "-q", "--shrink", "-f", "raw", "/a", "-512k"));

      assertEquals("", shell.out);
      assertArrayEquals(Arrays.copyOf(content, 512 << 10), shell.content("/a", "raw"));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "resize -U -f qcow2 /top 3M",
          "check -U -r all -f qcow2 /top",
          "snapshot -U -c s /top",
          "rebase -U -u -b base -F raw /top",
          "amend -U -o lazy_refcounts=on /top",
          "commit -U -f qcow2 /top"
        })
    void lockIsNotIgnoredByWhatWrites(String words) throws IOException {
      chain();
      byte[] before = Files.readAllBytes(shell.file("/top"));

      assertEquals(1, vdisk(words.split(" ")), words);

      assertTrue(shell.err.contains("-U goes with images that are only read"), shell.err);
      assertArrayEquals(before, Files.readAllBytes(shell.file("/top")));
    }

    @Test
    void newSpaceIsTakenIfThatIsWanted() throws IOException {
      Requirements.need("du");
      byte[] content = shell.disk("/a", 1 << 20);

      assertEquals(
          0, vdisk("resize", "--preallocation=full", "-f", "raw", "/a", "9M"), () -> shell.err);

      assertArrayEquals(Arrays.copyOf(content, 9 << 20), shell.content("/a", "raw"));
      assertEquals(0, shell.program("du", "-k", "/a"));
      assertTrue(Integer.parseInt(shell.out.substring(0, shell.out.indexOf('\t'))) >= 8 << 10);
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
      shell.disk("/a", 1 << 20);
      for (String words :
          new String[] {
            "/a", // no size
            "-f raw /a x",
            "-f raw /a /b 1M",
            "-f raw --shrink /a -2M",
            "-f raw --preallocation=some /a 2M",
            "-f raw --preallocation=metadata /a 2M",
            "-f raw --preallocation=full --shrink /a 512k",
            "/a 2M", // raw must be said before it is written to
            "-f raw /missing 1M"
          }) {
        assertEquals(1, vdisk(("resize " + words).split(" ")), words);
        assertEquals(1, shell.err.lines().count(), shell.err);
      }
      assertEquals(1, vdisk("resize", "/a", "2M"));
      assertEquals(
          "vdisk: /a is in no known format, and not changed before -f says its format (perhaps"
              + " raw)\n",
          shell.err);
      assertEquals(1 << 20, Files.size(shell.file("/a")));
    }
  }

  @Nested
  class Measure {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "--size 1G",
          "-O qcow2 --size 1G",
          "-O qcow2 --output=json --size 1G",
          "-O raw --output=json --size 3M",
          "-O qcow2 -o cluster_size=4k,refcount_bits=1 --size 10",
          "-O qcow2 -o preallocation=falloc --size 10M",
          "-O raw -f qcow2 /top"
        })
    void printsWhatQemuPrints(String words) throws IOException {
      Requirements.need("qemu-img");
      chain();

      assertEquals(0, vdisk(("measure " + words).split(" ")), () -> shell.err);
      String ours = shell.out;
      assertEquals(0, shell.program(("qemu-img measure " + words).split(" ")), shell.out);
      assertEquals(shell.out, ours);
    }

    @Test
    void sourceIsCountedByItsData() throws IOException {
      chain();

      assertEquals(0, vdisk("measure", "-O", "qcow2", "/top"), () -> shell.err);
      assertTrue(shell.out.startsWith("required size: "), shell.out);
      assertEquals(1, vdisk("measure", "-O", "qcow2"));
      assertEquals(1, vdisk("measure", "-O", "qcow2", "--size", "1M", "/top"));
      assertEquals(1, vdisk("measure", "-O", "qcow", "--size", "1M"));
      assertEquals("vdisk: the size of qcow images cannot be measured\n", shell.err);
    }
  }

  @Nested
  class Mapped {
    @Test
    void dataIsListedWithItsFile() throws IOException {
      chain();

      assertEquals(0, vdisk("map", "/top"), () -> shell.err);
      assertTrue(
          shell.out.startsWith("Offset          Length          Mapped to       File\n"),
          shell.out);
      assertTrue(
          shell.out.contains("0x40000         0x20000         0x50000         /top\n"), shell.out);
      assertTrue(shell.out.contains(" /base\n"), shell.out);
    }

    @Test
    void partIsListedForPrograms() throws IOException {
      chain();

      assertEquals(
          0,
          vdisk("map", "--output=json", "--start-offset=256k", "--max-length=320k", "/top"),
          () -> shell.err);
      assertTrue(
          shell.out.startsWith(
              "[{ \"start\": 262144, \"length\": 131072, \"depth\": 0, \"present\": true, \"zero\":"
                  + " false, \"data\": true, \"offset\": 327680},\n"),
          shell.out);
      assertTrue(
          shell.out.endsWith(
              "{ \"start\": 524288, \"length\": 65536, \"depth\": 0, \"present\": true, \"zero\":"
                  + " true, \"data\": false}]\n"),
          shell.out);
    }

    @Test
    void compressedDataHasNoPlace() throws IOException {
      Files.write(shell.file("/text"), "all work and no play\n".repeat(50_000).getBytes());
      assertEquals(0, vdisk("convert", "-c", "-f", "raw", "-O", "qcow2", "/text", "/a"));

      assertEquals(1, vdisk("map", "/a"));
      assertTrue(shell.err.contains("--output=json"), shell.err);
      assertEquals(0, vdisk("map", "--output=json", "/a"));
      assertTrue(shell.out.contains("\"data\": true}"), shell.out);
    }
  }

  @Nested
  class Chain {
    @Test
    void everyImageIsDescribed() throws IOException {
      chain();

      assertEquals(0, vdisk("info", "--backing-chain", "/top"), () -> shell.err);
      assertTrue(shell.out.contains("\n\nimage: /base\nfile format: raw\n"), shell.out);
      assertEquals(0, vdisk("info", "--backing-chain", "--output=json", "/top"));
      assertTrue(shell.out.startsWith("[\n    {\n        \"virtual-size\": 2097152"), shell.out);
      assertTrue(shell.out.contains("\"filename\": \"/base\""), shell.out);
    }

    @Test
    void policyIsKept() throws IOException {
      chain();

      assertEquals(1, vdisk("info", "--backing-chain", "--backing-policy=deny", "/top"));
      assertTrue(shell.err.contains("'base'"), shell.err);
      assertEquals(0, vdisk("info", "--backing-policy=deny", "/top"));
    }

    @Test
    void circleEnds() {
      assertEquals(0, vdisk("create", "-f", "qcow2", "-u", "-b", "b", "-F", "qcow2", "/a", "1M"));
      assertEquals(0, vdisk("create", "-f", "qcow2", "-u", "-b", "a", "-F", "qcow2", "/b", "1M"));

      assertEquals(1, vdisk("info", "--backing-chain", "/a"));
      assertTrue(shell.err.contains("comes back to /a"), shell.err);
    }

    @Test
    void nameOfAnotherProtocolIsShownAndNotFollowed() {
      String name = "nbd+unix:///disk?socket=/run/x";
      assertEquals(0, vdisk("create", "-f", "qcow2", "-u", "-b", name, "-F", "raw", "/a", "1M"));

      assertEquals(0, vdisk("info", "/a"));
      assertTrue(shell.out.contains("backing file: " + name + "\n"), shell.out);
      for (String policy : new String[] {"same-directory", "any"}) {
        assertEquals(1, vdisk("info", "--backing-chain", "--backing-policy", policy, "/a"));
        assertTrue(
            shell.err.contains("'nbd+unix'") || shell.err.contains("'nbd+unix:'"), shell.err);
      }
    }

    @Test
    void jsonNameOfAPlainFileIsFollowed() throws IOException {
      shell.disk("/base", 1 << 20);
      String json =
          "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\""
              + shell.file("/base")
              + "\"}}";
      assertEquals(0, vdisk("create", "-f", "qcow2", "-u", "-b", json, "-F", "raw", "/a", "1M"));

      assertEquals(0, vdisk("convert", "-O", "raw", "/a", "/copy"), () -> shell.err);
      assertArrayEquals(shell.content("/base", "raw"), shell.content("/copy", "raw"));
      assertEquals(1, vdisk("convert", "--backing-policy=deny", "-O", "raw", "/a", "/copy"));
    }
  }
}
