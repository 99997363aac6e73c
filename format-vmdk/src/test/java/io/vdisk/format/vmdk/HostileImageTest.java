package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an image may say to do harm: it is refused by file and field, and nothing is written. */
class HostileImageTest {
  private static final long SEED = Long.getLong("vdisk.seed", 20261127);
  private static final String BEGINNING =
      "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\n";

  @TempDir Path folder;

  private Path write(String lines) throws IOException {
    return Files.writeString(
        folder.resolve("disk.vmdk"), BEGINNING + lines, StandardCharsets.ISO_8859_1);
  }

  private <T extends IOException> T refused(Class<T> type, String lines) throws IOException {
    Path image = write(lines);
    byte[] before = Files.readAllBytes(image);
    T refusal = assertThrows(type, () -> Disks.open(image, true), lines);
    assertTrue(refusal.getMessage().contains("disk.vmdk"), refusal.getMessage());
    assertArrayEquals(before, Files.readAllBytes(image));
    return refusal;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../outside.vmdk",
        "/etc/passwd",
        "/dev/sda",
        "nbd://host/disk",
        "http://host/disk.vmdk",
        "file:/etc/passwd",
        "json:{\"driver\":\"host_device\",\"filename\":\"/dev/sda\"}"
      })
  void extentThatThePolicyDeniesIsRefused(String name) throws IOException {
    if (name.startsWith("json")) {
      IOException refusal =
          assertThrows(
              IOException.class, () -> Disks.open(write("RW 8 FLAT \"json:{}\" 0\n"), false));
      assertTrue(refusal instanceof ReferenceDeniedException, refusal.toString());
      return;
    }
    ReferenceDeniedException refusal =
        refused(ReferenceDeniedException.class, "RW 8 FLAT \"" + name + "\" 0\n");
    assertTrue(refusal.getMessage().contains(name), refusal.getMessage());
  }

  @Test
  void extentThatIsMissingIsNamed() throws IOException {
    IOException refusal =
        assertThrows(
            IOException.class, () -> Disks.open(write("RW 8 FLAT \"gone.vmdk\" 0\n"), false));
    assertTrue(refusal.getMessage().contains("gone.vmdk"), refusal.getMessage());
  }

  @Test
  void extentThatIsTheDescriptorIsRefused() throws IOException {
    write("RW 1 FLAT \"disk.vmdk\" 0\n");
    assertThrows(IOException.class, () -> Disks.open(folder.resolve("disk.vmdk"), true));
    ImageException refusal =
        assertThrows(ImageException.class, () -> Disks.open(folder.resolve("disk.vmdk"), false));
    assertTrue(refusal.getMessage().contains("named as extent"), refusal.getMessage());
  }

  @Test
  void extentsThatOverlapAreRefused() throws IOException {
    Files.write(folder.resolve("flat.vmdk"), new byte[8192]);
    ImageException refusal =
        refused(ImageException.class, "RW 8 FLAT \"flat.vmdk\" 0\nRW 8 FLAT \"flat.vmdk\" 7\n");
    assertTrue(refusal.getMessage().contains("overlaps"), refusal.getMessage());
    write("RW 8 FLAT \"flat.vmdk\" 0\nRW 8 FLAT \"flat.vmdk\" 8\n");
    Disks.open(folder.resolve("disk.vmdk"), true).close();
  }

  @Test
  void flatExtentPastTheEndOfItsFileIsRefused() throws IOException {
    Files.write(folder.resolve("flat.vmdk"), new byte[4096]);
    assertThrows(
        ImageException.class, () -> Disks.open(write("RW 8 FLAT \"flat.vmdk\" 1\n"), false));
    assertThrows(
        ImageException.class,
        () -> Disks.open(write("RW 137438953472 FLAT \"flat.vmdk\" 137438953472\n"), false));
  }

  @Test
  void sparseExtentOfAnotherSizeThanTheDescriptorSaysIsRefused() throws IOException {
    Disks.create(folder.resolve("whole.vmdk"), 1 << 20).close();
    for (int sectors : new int[] {2047, 2049}) {
      ImageException refusal =
          refused(ImageException.class, "RW " + sectors + " SPARSE \"whole.vmdk\"\n");
      assertTrue(refusal.getMessage().contains("header says 2048"), refusal.getMessage());
    }
    refused(ImageException.class, "RW 2048 SPARSE \"whole.vmdk\"\nRW 2048 SPARSE \"whole.vmdk\"\n");
  }

  @Test
  void deviceOfAnEsxiHostIsRefused() throws IOException {
    refused(UnsupportedImageException.class, "RW 8 VMFSRDM \"disk-rdm.vmdk\"\n");
  }

  @Test
  void hiddenAndReadOnlyExtentsAreNotTouched() throws IOException {
    Files.write(folder.resolve("flat.vmdk"), new byte[4096]);
    write("RDONLY 8 FLAT \"flat.vmdk\" 0\nRW 8 ZERO\nNOACCESS 8 FLAT \"/dev/sda\" 0\n");
    try (BlockDevice device = Disks.open(folder.resolve("disk.vmdk"), true)) {
      assertEquals(3 * 4096, device.size());
      device.read(ByteBuffer.allocate(8192), 0);
      assertThrows(IOException.class, () -> device.read(ByteBuffer.allocate(1), 8192));
      for (long offset : new long[] {0, 4096, 8192}) {
        assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(1), offset));
      }
    }
    assertTrue(
        Files.readString(folder.resolve("disk.vmdk")).contains("CID=1\n"), "nothing was written");
  }

  @Test
  void descriptorOfMegabytesIsRefused() throws IOException {
    Path image = write("#".repeat(Descriptor.MAX_BYTES));
    UnsupportedImageException refusal =
        assertThrows(UnsupportedImageException.class, () -> Disks.open(image, false));
    assertTrue(refusal.getMessage().contains("the limit is"), refusal.getMessage());
  }

  /** A line of a mebibyte, or a great many: neither takes long. */
  @Test
  void descriptorJustBelowTheLimitIsReadInTime() throws IOException {
    int room = Descriptor.MAX_BYTES - BEGINNING.length() - 100;
    for (String text :
        List.of(
            "a".repeat(room),
            " ".repeat(room),
            "a=".repeat(room / 2),
            "a=b\n".repeat(room / 4),
            "RW 1 ZERO\n".repeat(4000) + "\n".repeat(room - 40_100),
            "RW " + "1".repeat(room),
            "RW 1 FLAT \"" + "x".repeat(room - 20),
            "RW " + " ".repeat(room - 20) + "x")) {
      Path image = write(text);
      assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () -> {
            try (BlockDevice device = Disks.open(image, false)) {
              assertEquals(4000 * 512, device.size());
            } catch (ImageException e) {
              assertTrue(e.getMessage().length() < 1000, "the line is not repeated whole");
            }
          });
    }
  }

  private static byte[] sparse() throws IOException {
    MemoryFile file = new MemoryFile("image");
    try (BlockDevice device =
        Images.create(file, CreateOptions.of("vmdk", 1 << 20).withFormats(VmdkSubject.FORMATS))) {
      byte[] bytes = new byte[200_000];
      new Random(1).nextBytes(bytes);
      device.write(ByteBuffer.wrap(bytes), 100_000);
    }
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  @ParameterizedTest
  @CsvSource({
    "grainSize, 20, 0",
    "grainSize, 20, 3",
    "grainSize, 20, 4",
    "grainSize, 20, 65536",
    "grainSize, 20, 1099511627776",
    "numGTEsPerGT, 44, 0",
    "numGTEsPerGT, 44, 511",
    "capacity, 12, -1",
    "capacity, 12, 9223372036854775807",
    "gdOffset, 56, 0",
    "gdOffset, 56, -2",
    "rgdOffset, 48, 0",
    "version, 4, 4",
    "version, 4, 0",
    "compressAlgorithm, 77, 2",
  })
  void headerThatCannotBeIsRefusedByItsField(String field, int offset, long value)
      throws IOException {
    byte[] image = sparse();
    int width = offset == 77 ? 2 : offset == 4 || offset == 44 ? 4 : 8;
    for (int i = 0; i < width; i++) {
      image[offset + i] = (byte) (value >> 8 * i);
    }
    MemoryFile file = new MemoryFile("image", image);
    ImageException refusal =
        assertThrows(ImageException.class, () -> Images.open(file, Disks.opening(true)));
    assertTrue(refusal.getMessage().startsWith("image: "), refusal.getMessage());
    assertTrue(refusal.getMessage().contains(field), refusal.getMessage());
  }

  @Test
  void grainTablePastTheEndIsRefused() throws IOException {
    byte[] image = sparse();
    SparseHeader header = SparseHeader.read(new MemoryFile("image", image));
    int at = (int) header.directory() * 512;
    image[at + 3] = 0x7f;
    try (BlockDevice device = Images.open(new MemoryFile("image", image), Disks.opening(false))) {
      ImageException refusal =
          assertThrows(ImageException.class, () -> device.read(ByteBuffer.allocate(1), 0));
      assertTrue(refusal.getMessage().contains("grain table 0"), refusal.getMessage());
    }
  }

  @Test
  void transferAsTextIsTold() throws IOException {
    byte[] image = sparse();
    image[75] = '\n';
    ImageException refusal =
        assertThrows(
            ImageException.class,
            () -> Images.open(new MemoryFile("image", image), Disks.opening(false)));
    assertTrue(refusal.getMessage().contains("line ends"), refusal.getMessage());
  }

  /** Damage anywhere in descriptors of several files: refused, or read; nothing else. */
  @Test
  void mutatedDescriptorsAreRefusedOrRead() throws IOException {
    Files.write(folder.resolve("flat.vmdk"), new byte[8192]);
    Disks.create(folder.resolve("whole.vmdk"), 1 << 20).close();
    String good =
        BEGINNING
            + "encoding=\"UTF-8\"\nRW 2048 SPARSE \"whole.vmdk\"\nRW 8 FLAT \"flat.vmdk\" 3\n"
            + "RDONLY 77 ZERO\nddb.geometry.cylinders = \"2\"\nddb.geometry.heads=\"16\"\n";
    byte[] text = good.getBytes(StandardCharsets.US_ASCII);
    List<String> pieces =
        List.of("\"", "\n", "=", " ", "0", "99999999999", "RW ", "ffffffff", "\0");
    Random random = new Random(SEED);
    Path image = folder.resolve("disk.vmdk");
    int opened = 0;
    for (int i = 0; i < 3000; i++) {
      byte[] mutant = mutate(text, pieces, random);
      Files.write(image, mutant);
      try (BlockDevice device = Disks.open(image, i % 2 == 0)) {
        opened++;
        device.read(ByteBuffer.allocate((int) Math.min(device.size(), 100_000)), 0);
      } catch (IOException e) {
        assertTrue(String.valueOf(e.getMessage()).length() < 2000, e.toString());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + SEED + ", round " + i, e);
      }
      assertArrayEquals(mutant, Files.readAllBytes(image), "round " + i + " wrote");
    }
    assertTrue(opened > 300, "only " + opened + " opened");
  }

  private static byte[] mutate(byte[] text, List<String> pieces, Random random) {
    List<Byte> bytes = new ArrayList<>();
    for (byte b : text) {
      bytes.add(b);
    }
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int at = random.nextInt(bytes.size());
      switch (random.nextInt(3)) {
        case 0 -> bytes.set(at, (byte) random.nextInt(256));
        case 1 -> bytes.subList(at, Math.min(bytes.size(), at + 1 + random.nextInt(9))).clear();
        default -> {
          byte[] piece =
              pieces.get(random.nextInt(pieces.size())).getBytes(StandardCharsets.US_ASCII);
          for (byte b : piece) {
            bytes.add(at, b);
          }
        }
      }
    }
    byte[] mutant = new byte[bytes.size()];
    for (int i = 0; i < mutant.length; i++) {
      mutant[i] = bytes.get(i);
    }
    return mutant.length == 0 ? Arrays.copyOf(text, 10) : mutant;
  }
}
