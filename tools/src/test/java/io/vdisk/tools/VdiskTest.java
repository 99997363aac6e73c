package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VdiskTest {
  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int vdisk(String... words) {
    return shell.run(Vdisk::run, words);
  }

  /** A qcow2 over a raw file in another folder. */
  private byte[] overlayFromElsewhere() throws IOException {
    Files.createDirectory(shell.file("/elsewhere"));
    byte[] content = shell.disk("/elsewhere/base", 1 << 20);
    assertEquals(0, shell.run(QcowCreate::run, "-f", "qcow2", "0", "/overlay", "/elsewhere/base"));
    return content;
  }

  @Nested
  class Info {
    @Test
    void anImageInUseIsToldInWordsOfTheCommandLine() throws IOException {
      Path image = shell.file("/used.qcow2");
      Images.create(image, CreateOptions.of("qcow2", 1 << 20)).close();
      try (BlockDevice used = Images.open(image, OpenOptions.readWrite())) {
        assertTrue(used.size() > 0);
        assertEquals(1, shell.run(Vdisk::run, "info", "/used.qcow2"));
        assertTrue(shell.err.startsWith("vdisk: /used.qcow2 is locked: "), shell.err);
        assertTrue(
            shell.err.endsWith(" (vdisk's -U ignores that, where an image is only read)\n"),
            shell.err);
        assertFalse(shell.err.contains("OpenOptions"), shell.err);
        assertEquals(0, shell.run(Vdisk::run, "info", "-U", "/used.qcow2"), shell.err);
      }
    }

    @Test
    void isReadByPeople() throws IOException {
      shell.run(QcowCreate::run, "-f", "qcow2", "4", "/a");
      long length = Files.size(shell.file("/a"));

      assertEquals(0, vdisk("info", "/a"));

      assertEquals(
          "image: /a\nfile format: qcow2\nvirtual size: 4 MiB (4194304 bytes)\nfile length: "
              + ByteSize.describe(length)
              + " ("
              + length
              + " bytes)\n"
              + """
              cluster_size: 65536
              Format specific information:
                  compat: 1.1
                  compression type: zlib
                  lazy refcounts: false
                  refcount bits: 16
                  corrupt: false
                  extended l2: false
              """,
          shell.out);
    }

    @Test
    void isReadByPrograms() throws IOException {
      overlayFromElsewhere();

      assertEquals(0, vdisk("info", "--output=json", "/overlay"));

      assertEquals(
          """
          {
              "virtual-size": 1048576,
              "filename": "/overlay",
              "cluster-size": 65536,
              "format": "qcow2",
              "full-backing-filename": "/elsewhere/base",
              "backing-filename": "/elsewhere/base",
              "backing-filename-format": "raw",
              "format-specific": {
                  "type": "qcow2",
                  "data": {
                      "compat": "1.1",
                      "compression-type": "zlib",
                      "lazy-refcounts": false,
                      "refcount-bits": 16,
                      "corrupt": false,
                      "extended-l2": false
                  }
              },
              "dirty-flag": false
          }
          """,
          shell.out);
    }

    @Test
    void whatIsInNoFormatIsReadAsRaw() throws IOException {
      shell.disk("/disk", 1 << 20);

      assertEquals(0, vdisk("info", "/disk"));
      assertTrue(shell.out.contains("file format: raw\n"));
      assertEquals(
          "vdisk: /disk is in no known format and read as raw; -f raw says so\n", shell.err);
      assertEquals(0, vdisk("info", "-f", "raw", "/disk"));
      assertEquals("", shell.err);
    }
  }

  @Nested
  class Check {
    @Test
    void cleanImageIsZero() {
      shell.run(QcowCreate::run, "-f", "qcow2", "4", "/a");

      assertEquals(0, vdisk("check", "/a"));
      assertEquals("", shell.err);
      assertTrue(
          shell.out.startsWith("No errors were found on the image.\n0/64 = 0.00% allocated, "),
          shell.out);
      assertEquals(0, vdisk("check", "-q", "/a"));
      assertEquals("", shell.out);
    }

    @Test
    void errorsAreTwoAndLeaksThree() throws IOException {
      shell.disk("/disk", 1 << 20);
      vdisk("convert", "-O", "qcow2", "/disk", "/a");
      long refcountBlock = number("/a", number("/a", 48));

      long unused = Files.size(shell.file("/a")) >> 16;
      overwrite("/a", ((unused + 1) << 16) - 2, (short) 0);
      overwrite("/a", refcountBlock + 2 * unused, (short) 1);
      assertEquals(3, vdisk("check", "--output=json", "/a"));
      assertTrue(shell.out.contains("\"leaks\": 1"), shell.out);
      assertEquals(3, vdisk("check", "/a"));
      assertTrue(shell.err.contains("LEAK: "), shell.err);

      overwrite("/a", refcountBlock + 2 * 5, (short) 0);
      assertEquals(2, vdisk("check", "--output=json", "/a"));
      assertTrue(shell.out.contains("\"corruptions\": "), shell.out);
    }

    @Test
    void damageIsMendedAndLookedAtAgain() throws IOException {
      byte[] content = shell.disk("/disk", 1 << 20);
      vdisk("convert", "-O", "qcow2", "/disk", "/a");
      long refcountBlock = number("/a", number("/a", 48));
      long unused = Files.size(shell.file("/a")) >> 16;
      overwrite("/a", ((unused + 1) << 16) - 2, (short) 0);
      overwrite("/a", refcountBlock + 2 * unused, (short) 1);
      Files.copy(shell.file("/a"), shell.file("/b"));

      assertEquals(0, vdisk("check", "-r", "leaks", "/a"), () -> shell.err);
      assertTrue(
          shell.out.startsWith(
              """
              The following inconsistencies were found and repaired:

                  1 leaked clusters
                  0 corruptions

              Double checking the fixed image now...
              No errors were found on the image.
              """),
          shell.out);
      assertEquals(0, vdisk("check", "-r", "all", "/a"));
      assertTrue(shell.out.startsWith("No errors were found on the image.\n"), shell.out);

      overwrite("/b", refcountBlock + 2 * 5, (short) 0);
      assertEquals(0, vdisk("check", "-r", "all", "--output=json", "/b"), () -> shell.err);
      assertTrue(shell.out.contains("\"leaks-fixed\": 1"), shell.out);
      assertTrue(shell.out.contains("\"corruptions-fixed\": "), shell.out);
      assertEquals(0, vdisk("check", "-q", "/b"));
      assertArrayEquals(content, shell.content("/b", "qcow2"));
    }

    @Test
    void scopeOfARepairIsLeaksOrAll() throws IOException {
      shell.disk("/disk", 1 << 20);

      assertEquals(1, vdisk("check", "-r", "most", "/disk"));
      assertEquals("vdisk: -r takes leaks or all, not 'most' (see vdisk --help)\n", shell.err);
      assertEquals(63, vdisk("check", "-r", "all", "-f", "raw", "/disk"));
      assertEquals(1, vdisk("check", "-r", "all", "/disk"));
      assertTrue(shell.err.contains("-f says its format"), shell.err);
    }

    @Test
    void formatThatCannotBeCheckedIs63() throws IOException {
      shell.disk("/disk", 1 << 20);

      assertEquals(63, vdisk("check", "-f", "raw", "/disk"));
      assertEquals("vdisk: /disk: raw images cannot be checked\n", shell.err);
    }

    private long number(String name, long offset) throws IOException {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(shell.file(name)));
      return bytes.getLong((int) offset);
    }

    private void overwrite(String name, long offset, short value) throws IOException {
      try (FileChannel file = FileChannel.open(shell.file(name), StandardOpenOption.WRITE)) {
        file.write(ByteBuffer.allocate(2).putShort(0, value), offset);
      }
    }
  }

  @Nested
  class Convert {
    @Test
    void contentSurvivesEveryFormat() throws IOException {
      byte[] content = shell.disk("/disk", 5 << 20);

      assertEquals(0, vdisk("convert", "-f", "raw", "-O", "qcow2", "/disk", "/a"));
      assertEquals("", shell.err + shell.out);
      assertEquals(0, vdisk("convert", "-O", "qcow", "-t", "unsafe", "/a", "/b"));
      assertEquals(
          0,
          vdisk("convert", "-c", "-m", "16", "-O", "qcow2", "-o", "cluster_size=4k", "/b", "/c"));
      assertEquals(0, vdisk("convert", "-p", "-O", "raw", "/c", "/d"));

      assertTrue(shell.err.startsWith("0 %\n") && shell.err.endsWith("100 %\n"), shell.err);
      assertArrayEquals(content, shell.content("/d", "raw"));
      assertEquals(List.of("a", "b", "c", "d", "disk"), shell.names());
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "writeback", "unsafe", "directsync", "writethrough"})
    void everyCacheModeGivesTheSame(String mode) throws IOException {
      byte[] content = shell.disk("/disk", 5 << 20);

      assertEquals(
          0, vdisk("convert", "-f", "raw", "-O", "qcow2", "-t", mode, "-T", mode, "/disk", "/a"));
      assertEquals(
          0, vdisk("convert", "-O", "raw", "--drop-cache", "-t", mode, "-T", mode, "/a", "/b"));

      assertEquals("", shell.err + shell.out);
      assertArrayEquals(content, shell.content("/b", "raw"));
    }

    @Test
    void compressionIsSmallerAndRepeatable() throws IOException {
      byte[] text = new byte[2 << 20];
      for (int i = 0; i < text.length; i++) {
        text[i] = (byte) ("0123456789abcdef".charAt(i % 16) + i / 40_000);
      }
      Files.write(shell.file("/disk"), text);
      for (String name : List.of("/a", "/b")) {
        assertEquals(0, vdisk("convert", "-f", "raw", "-c", "-O", "qcow2", "/disk", name));
      }

      assertTrue(Files.size(shell.file("/a")) < text.length / 2);
      assertArrayEquals(Files.readAllBytes(shell.file("/a")), Files.readAllBytes(shell.file("/b")));
      assertArrayEquals(text, shell.content("/b", "qcow2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"qcow", "qcow2"})
    void imageIsTheSameWhateverTheNumberOfThreads(String format) throws IOException {
      shell.disk("/disk", 40 << 20);
      for (int threads = 1; threads <= 4; threads++) {
        String[] words = {
          "convert", "-m", "" + threads, "-f", "raw", "-O", format, "/disk", "/" + threads
        };
        assertEquals(0, vdisk(words), () -> shell.err);
        assertEquals(-1, Files.mismatch(shell.file("/1"), shell.file("/" + threads)));
      }
    }

    @Test
    void zeroesAreWrittenWhereNoHolesAreWanted() throws IOException {
      byte[] content = shell.disk("/disk", 4 << 20);

      assertEquals(0, vdisk("convert", "-W", "-S", "0", "-f", "raw", "-O", "qcow2", "/disk", "/a"));

      assertArrayEquals(content, shell.content("/a", "qcow2"));
      try (BlockDevice image = Images.open(shell.file("/a"), OpenOptions.readOnly())) {
        image.extents(0, image.size()).forEach(e -> assertEquals(Extent.Kind.DATA, e.kind()));
      }
      assertEquals(1, vdisk("convert", "-S", "few", "-f", "raw", "-O", "qcow2", "/disk", "/b"));
    }

    @Test
    void sharedBackingFileIsNotCopied() throws IOException {
      byte[] content = shell.disk("/base", 4 << 20);
      shell.run(QcowCreate::run, "-f", "qcow2", "0", "/a", "/base");
      OpenOptions options =
          OpenOptions.readWrite().withReferences(io.vdisk.ReferencePolicy.sameDirectory());
      try (BlockDevice disk = Images.open(shell.file("/a"), options)) {
        disk.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 1 << 20);
        disk.writeZeroes(2 << 20, 1 << 20);
      }
      content[1 << 20] = 1;
      content[(1 << 20) + 1] = 2;
      content[(1 << 20) + 2] = 3;
      Arrays.fill(content, 2 << 20, 3 << 20, (byte) 0);

      assertEquals(0, vdisk("convert", "-O", "qcow2", "-B", "base", "-F", "raw", "/a", "/b"));

      assertArrayEquals(content, shell.content("/b", "qcow2"));
      assertEquals(0, vdisk("info", "/b"));
      assertTrue(shell.out.contains("backing file: base (actual path: /base)\n"), shell.out);
      assertEquals(0, vdisk("check", "/b"));
      assertTrue(shell.out.contains("1/64 = 1.56% allocated"), shell.out);
    }

    @Test
    void backingFileElsewhereIsRefusedUntilAllowed() throws IOException {
      byte[] content = overlayFromElsewhere();

      assertEquals(1, vdisk("convert", "-O", "raw", "/overlay", "/a"));
      assertTrue(shell.err.contains("'/elsewhere/base'"), shell.err);
      assertTrue(shell.err.contains("--backing-policy any"), shell.err);
      assertEquals(1, shell.err.lines().count());
      assertFalse(Files.exists(shell.file("/a")));

      for (String policy : List.of("any", "within=" + shell.file("/elsewhere"))) {
        assertEquals(
            0, vdisk("convert", "-O", "raw", "--backing-policy", policy, "/overlay", "/a"));
        assertArrayEquals(content, shell.content("/a", "raw"));
      }
      assertEquals(0, vdisk("info", "--backing-policy=deny", "/overlay"));
    }

    @Test
    void environmentSetsThePolicyAndTheOptionWins() throws IOException {
      overlayFromElsewhere();
      shell.environment.put("VDISK_BACKING_POLICY", "any");

      assertEquals(0, vdisk("convert", "-O", "raw", "/overlay", "/a"));
      assertEquals(1, vdisk("convert", "-O", "raw", "--backing-policy=deny", "/overlay", "/b"));
      shell.environment.put("VDISK_BACKING_POLICY", "most");
      assertEquals(1, vdisk("info", "/overlay"));
      assertTrue(shell.err.contains("not 'most'"), shell.err);
    }

    @Test
    void failureLeavesTheTargetAsItWas() throws IOException {
      byte[] before = shell.disk("/a", 1 << 20);
      shell.disk("/disk", 1 << 20);
      vdisk("convert", "-O", "qcow2", "/disk", "/broken");
      byte[] broken = Files.readAllBytes(shell.file("/broken"));
      ByteBuffer.wrap(broken).putLong(40, 3); // L1 table's offset: not a cluster's
      Files.write(shell.file("/broken"), broken);

      assertEquals(1, vdisk("convert", "-O", "raw", "/broken", "/a"));
      assertTrue(shell.err.startsWith("vdisk: /broken: "), shell.err);
      assertEquals(1, vdisk("convert", "-c", "-f", "raw", "-O", "raw", "/disk", "/a"));
      assertEquals("vdisk: raw images cannot store compressed units\n", shell.err);
      assertEquals(1, vdisk("convert", "-f", "raw", "-O", "vpc2", "/disk", "/a"));
      assertTrue(shell.err.startsWith("vdisk: /a: there is no format 'vpc2'"), shell.err);
      assertEquals(1, vdisk("convert", "-f", "raw", "-O", "qcow2", "-o", "x=1", "/disk", "/a"));
      assertEquals("vdisk: qcow2 has no option 'x'\n", shell.err);

      assertArrayEquals(before, shell.content("/a", "raw"));
      assertEquals(List.of("a", "broken", "disk"), shell.names());
    }

    @Test
    void targetInUseIsNotReplaced() throws IOException {
      shell.disk("/disk", 1 << 20);
      shell.run(QcowCreate::run, "-f", "qcow2", "4", "/a");
      try (BlockDevice user = Images.open(shell.file("/a"), OpenOptions.readWrite())) {
        assertEquals(1, vdisk("convert", "-f", "raw", "-O", "qcow2", "/disk", "/a"));
        assertTrue(shell.err.startsWith("vdisk: /a"), shell.err);
        assertEquals(4 << 20, user.size());
      }
      assertEquals(4 << 20, shell.content("/a", "qcow2").length);
    }

    @Test
    void linkAndPermissionsOfTheTargetStay() throws IOException {
      byte[] content = shell.disk("/disk", 1 << 20);
      shell.disk("/a", 2 << 20);
      Files.setPosixFilePermissions(shell.file("/a"), PosixFilePermissions.fromString("rw-r-----"));
      Files.createSymbolicLink(shell.file("/link"), Path.of("a"));

      assertEquals(0, vdisk("convert", "-f", "raw", "-O", "raw", "/disk", "/link"));

      assertTrue(Files.isSymbolicLink(shell.file("/link")));
      assertArrayEquals(content, shell.content("/a", "raw"));
      assertEquals(
          "rw-r-----",
          PosixFilePermissions.toString(Files.getPosixFilePermissions(shell.file("/a"))));
    }

    @Test
    void deviceThatIsNoDiskIsNoTarget() throws IOException {
      shell.disk("/disk", 1 << 20);

      int code =
          Vdisk.run(
              List.of("convert", "-O", "raw", shell.file("/disk").toString(), "/dev/null"),
              Console.system());

      assertEquals(1, code);
    }
  }

  @Nested
  class Usage {
    @Test
    void misuseIsOne() {
      assertEquals(1, vdisk());
      assertEquals(1, vdisk("compose"));
      assertEquals("vdisk: there is no command 'compose' (see vdisk --help)\n", shell.err);
      assertEquals(1, vdisk("info"));
      assertEquals(1, vdisk("info", "-x", "/a"));
      assertEquals(1, vdisk("info", "--output=xml", "/a"));
      assertEquals(1, vdisk("convert", "/a", "/b"));
      assertEquals("vdisk: -O FORMAT is missing (see vdisk --help)\n", shell.err);
      assertEquals(1, vdisk("convert", "-O", "raw", "-t", "fast", "/a", "/b"));
      assertEquals(1, vdisk("convert", "-O", "raw", "-T", "fast", "/a", "/b"));
      assertEquals(1, vdisk("convert", "-O", "raw", "-o", "=fast", "/a", "/b"));
      assertEquals(1, vdisk("info", "/missing"));
      assertEquals("vdisk: /missing: no such file\n", shell.err);
    }

    @Test
    void helpIsZero() {
      assertEquals(0, vdisk("--help"));
      String commands = shell.out;
      for (String command :
          List.of(
              "amend",
              "bitmap",
              "check",
              "commit",
              "convert",
              "create",
              "info",
              "map",
              "measure",
              "rebase",
              "resize",
              "snapshot")) {
        assertTrue(commands.contains(" " + command), commands);
        assertEquals(0, vdisk(command, "--help"));
        assertTrue(shell.out.startsWith("usage: vdisk " + command + " "), shell.out);
        assertEquals(1, vdisk(command, "--colour", "/a"));
        assertEquals("vdisk: unknown option '--colour' (see vdisk --help)\n", shell.err);
      }
      assertEquals(0, vdisk("--version"));
      assertTrue(shell.out.matches("vdisk \\d+\\.\\d+\\S*\n"), shell.out);
    }

    @Test
    void valuesOfOptionsMayHoldCommas() {
      assertEquals(List.of("a=1", "b=2,3", "c="), ImageOptions.split("a=1,b=2,,3,c="));
    }

    @Test
    void rehearsalWorks() throws IOException {
      Console console = new Console(System.in, System.out, System.err, false, java.util.Map.of());

      assertEquals(0, Rehearsal.run(shell.folder, console));
      assertEquals(List.of(), shell.names());
    }
  }
}
