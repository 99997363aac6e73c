package io.vdisk.tools;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code vdisk convert} from standard input and to standard output. */
class StreamTest {
  private static final int M = 1 << 20;

  @TempDir Path folder;
  private Shell shell;

  @BeforeEach
  void open() throws IOException {
    shell = new Shell(folder.toRealPath());
  }

  private int convert(String words) {
    return shell.run(Vdisk::run, ("convert " + words).split(" "));
  }

  private void succeed(String words) {
    assertEquals(0, convert(words), () -> words + ": " + shell.err);
  }

  /** A disk with data, zeroes within data and holes. */
  private static byte[] disk(int size) {
    byte[] disk = new byte[size];
    Random random = new Random(size);
    for (int at = 0; at < size; at += 300_000) {
      byte[] bytes = new byte[Math.min(100_000, size - at)];
      random.nextBytes(bytes);
      System.arraycopy(bytes, 0, disk, at, bytes.length);
    }
    Arrays.fill(disk, Math.min(size, M), Math.min(size, M + 70_000), (byte) 0);
    return disk;
  }

  @ParameterizedTest
  @CsvSource({
    "raw, 3145728",
    "raw, 1000001",
    "raw, 1",
    "qcow2, 3145728",
    "qcow2, 99840",
    "qcow2, 210000384",
    "vhd, 3145728"
  })
  void imageGrowsWithWhatComes(String format, int size) throws IOException {
    byte[] disk = disk(size);
    shell.in = new ByteArrayInputStream(disk);
    succeed("-f raw -O " + format + " - /image");
    succeed("-f " + format + " -O raw /image /back");
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/back")));
    assertEquals(List.of("back", "image"), shell.names());
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow2", "qcow", "vhdx", "vhd", "raw"})
  void sizeCanBeSaid(String format) throws IOException {
    byte[] disk = disk(3 * M);
    shell.in = new ByteArrayInputStream(disk);
    succeed("-f raw -O " + format + " -o size=3M - /image");
    succeed("-f " + format + " -O raw /image -");
    assertArrayEquals(disk, shell.bytes);
  }

  @Test
  void whatComesBeyondTheSizeThatWasSaidIsRefused() throws IOException {
    shell.in = new ByteArrayInputStream(disk(3 * M));
    assertEquals(1, convert("-f raw -O qcow2 -o size=2M - /image"));
    assertEquals(List.of(), shell.names());
  }

  @Test
  void whatComesBeforeTheSizeThatWasSaidIsFollowedByZeroes() throws IOException {
    byte[] disk = disk(M);
    shell.in = new ByteArrayInputStream(disk);
    succeed("-f raw -O qcow2 -o size=3M - /image");
    succeed("-O raw /image -");
    assertArrayEquals(Arrays.copyOf(disk, 3 * M), shell.bytes);
  }

  @Test
  void formatThatCannotBecomeSmallerWantsASize() throws IOException {
    shell.in = new ByteArrayInputStream(disk(M));
    assertEquals(1, convert("-f raw -O qcow - /image"));
    assertTrue(shell.err.contains("-o size=BYTES"), shell.err);
    assertEquals(List.of(), shell.names());
  }

  @Test
  void standardInputGoesToStandardOutput() {
    byte[] disk = disk(2 * M + 1);
    shell.in = new ByteArrayInputStream(disk);
    succeed("-f raw -O raw - -");
    assertArrayEquals(disk, shell.bytes);
  }

  @Test
  void imageGoesToStandardOutputAndItsProgressDoesNot() throws IOException {
    byte[] disk = disk(2 * M);
    Files.write(shell.file("/disk"), disk);
    succeed("-f raw -O qcow2 /disk /image");
    succeed("-p -O raw /image -");
    assertArrayEquals(disk, shell.bytes);
    assertTrue(shell.err.contains("100"), shell.err);
  }

  @Test
  void streamOptimizedVmdkGoesThroughPipesAndFiles() throws IOException {
    byte[] disk = disk(3 * M);
    Files.write(shell.file("/disk"), disk);
    String stream = "-O vmdk -o subformat=streamOptimized,cid=12345678 ";
    succeed("-f raw " + stream + "/disk -");
    byte[] piped = shell.bytes;
    succeed("-f raw " + stream + "/disk /file.vmdk");
    byte[] file = Files.readAllBytes(shell.file("/file.vmdk"));
    assertEquals(piped.length, file.length);
    assertTrue(new String(file, 0, 4096, ISO_8859_1).contains("SPARSE \"file.vmdk\""));
    shell.in = new ByteArrayInputStream(piped);
    succeed("-f vmdk -O qcow2 - /image");
    succeed("-O raw /image -");
    assertArrayEquals(disk, shell.bytes);
    succeed("-O raw /file.vmdk -");
    assertArrayEquals(disk, shell.bytes);
  }

  /** A look at the format takes no lock that was not asked for. */
  @Test
  void imageThatSomebodyWritesIsConvertedIfItsLockIsPassedOver() throws IOException {
    byte[] disk = disk(M);
    Files.write(shell.file("/disk"), disk);
    succeed("-f raw -O qcow2 /disk /image");
    try (BlockDevice writer =
        Images.open(shell.file("/image"), OpenOptions.readWrite().withFormat("qcow2"))) {
      assertEquals(disk.length, writer.size());
      succeed("-U -O raw /image /back");
    }
    assertArrayEquals(disk, Files.readAllBytes(shell.file("/back")));
  }

  @Test
  void inputThatFailsLeavesNoImage() throws IOException {
    shell.in =
        new InputStream() {
          private int left = M;

          @Override
          public int read() throws IOException {
            if (left-- == 0) {
              throw new IOException("the network is gone");
            }
            return 1;
          }
        };
    assertEquals(1, convert("-f raw -O qcow2 - /image"));
    assertEquals("vdisk: the network is gone\n", shell.err);
    assertEquals(List.of(), shell.names());
  }

  @ParameterizedTest
  @CsvSource({
    "-O qcow2 - /image, - needs -f",
    "-f qcow2 -O raw - /image, qcow2 images cannot be read as a stream",
    "-f raw -O qcow2 - -, qcow2 images cannot be written as a stream",
    "-f raw -O qcow2 -c - /image, -c does not go with",
    "-f raw -O qcow2 -l s - /image, -l does not go with"
  })
  void wrongCallIsRefused(String words, String sentence) throws IOException {
    shell.in = new ByteArrayInputStream(disk(M));
    assertEquals(1, convert(words));
    assertTrue(shell.err.contains(sentence), shell.err);
    assertFalse(Files.exists(shell.file("/image")));
  }
}
