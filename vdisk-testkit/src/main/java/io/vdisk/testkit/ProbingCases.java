package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which files a format takes for its images. */
abstract class ProbingCases extends FormatCases {
  private static final long SEED = 20_260_301;

  ProbingCases(ImageFormatContract contract) {
    super(contract);
  }

  @Test
  void itsOwnImagesAreRecognised() throws IOException {
    Probe probe = probe(filledImage());
    if (contract.isRecognised()) {
      assertTrue(probe.compareTo(Probe.MAGIC) >= 0, "probe says " + probe);
    } else {
      assertEquals(Probe.WEAK, probe);
    }
  }

  @Test
  void emptyAndShortFilesAreNot() throws IOException {
    for (int length = 0; length < 4; length++) {
      assertNotRecognised(new byte[length], "zeroes");
      assertNotRecognised(bytes(length, length), "random bytes");
      assertNotRecognised(Arrays.copyOf(filledImage(), length), "the beginning of an image");
    }
  }

  @Test
  void randomFilesAreNot() throws IOException {
    Random random = new Random(SEED);
    for (int i = 0; i < 300; i++) {
      byte[] file = new byte[random.nextInt(i % 3 == 0 ? 600 : 70_000)];
      random.nextBytes(file);
      assertNotRecognised(file, "round " + i + " of seed " + SEED);
    }
  }

  @Test
  void filesOfZeroesAreNot() throws IOException {
    for (int length : new int[] {4, 511, 512, 4096, 65_536, 1 << 20}) {
      assertNotRecognised(new byte[length], "zeroes");
    }
  }

  @Test
  void aHeaderThatIsCutOffIsNotRecognisedOrIsRefused() throws IOException {
    byte[] image = filledImage();
    for (int length = 0; length < contract.headerSize(); length++) {
      byte[] cut = Arrays.copyOf(image, length);
      if (probe(cut) != Probe.NO) {
        IOException refusal =
            assertThrows(IOException.class, () -> open(cut), "an image cut to " + length);
        assertNamesTheFile(refusal);
      }
    }
  }

  @Test
  void whatIsNotRecognisedIsNotOpenedWithoutSayingTheFormat() throws IOException {
    MemoryFile file = new MemoryFile(NAME, bytes(10_000, 1));
    OpenOptions options = byProbing(OpenOptions.readOnly());
    UnsupportedImageException refusal =
        assertThrows(UnsupportedImageException.class, () -> Images.open(file, options));
    assertNamesTheFile(refusal);
  }

  @Test
  void probingChangesNothing() throws IOException {
    byte[] image = filledImage();
    MemoryFile file = new MemoryFile(NAME, image);
    ChangeCounter counter = new ChangeCounter(file, Long.MAX_VALUE);
    format().probe(counter);
    assertEquals(0, counter.changes());
    assertSame(image, bytesOf(file), 0);
  }

  @Test
  void theNameIsInLowerCaseAndNoAliasRepeatsIt() {
    String name = format().name();
    assertEquals(name.toLowerCase(Locale.ROOT), name);
    assertNotEquals("", name);
    assertTrue(!format().aliases().contains(name), "aliases " + format().aliases());
  }

  private Probe probe(byte[] file) throws IOException {
    return format().probe(new MemoryFile(NAME, file));
  }

  private void assertNotRecognised(byte[] file, String what) throws IOException {
    Probe expected = contract.isRecognised() ? Probe.NO : Probe.WEAK;
    assertEquals(expected, probe(file), () -> file.length + " bytes, " + what);
  }
}
