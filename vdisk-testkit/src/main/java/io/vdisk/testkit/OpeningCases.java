package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** How images are opened, and that a look changes nothing. */
abstract class OpeningCases extends FormatCases {
  OpeningCases(ImageFormatContract contract) {
    super(contract);
  }

  @Test
  void anImageOpensByItsNameAndByEveryAlias() throws IOException {
    byte[] image = filledImage();
    byte[] content = guestBytes(image);
    assertEquals(contract.size(), content.length);
    for (String alias : format().aliases()) {
      OpenOptions options = byName(OpenOptions.readOnly()).withFormat(alias);
      assertHolds(content, closeLater(Images.open(new MemoryFile(NAME, image), options)));
    }
  }

  @Test
  void anImageOpensByProbingIfItHasAMagicNumber() throws IOException {
    byte[] image = filledImage();
    MemoryFile file = new MemoryFile(NAME, image);
    OpenOptions options = byProbing(OpenOptions.readOnly());
    if (contract.isRecognised()) {
      BlockDevice device = closeLater(Images.open(file, options));
      assertEquals(format().name(), device.info().format());
      assertHolds(guestBytes(image), device);
    } else {
      assertThrows(UnsupportedImageException.class, () -> Images.open(file, options));
    }
  }

  @Test
  void lookingAtAnImageWritesNothing() throws IOException {
    byte[] image = filledImage();
    MemoryFile file = new MemoryFile(NAME, image);
    ChangeCounter counter = new ChangeCounter(file, 0);
    BlockDevice device = closeLater(Images.open(counter, byName(OpenOptions.readOnly())));
    assertFalse(device.capabilities().contains(Capability.WRITE));
    readAll(device);
    device.extents(0, device.size()).forEach(extent -> assertTrue(extent.length() > 0));
    assertSound(device);
    device.flush();
    device.close();
    assertEquals(0, counter.changes(), "changes of the host file");
    assertSame(image, bytesOf(file), 0);
  }

  @Test
  void openingForWritingAndClosingKeepsTheContentAndTheImageSound() throws IOException {
    byte[] image = filledImage();
    byte[] content = guestBytes(image);
    MemoryFile file = new MemoryFile(NAME, image);
    Images.open(file, byName(OpenOptions.readWrite())).close();
    BlockDevice device = closeLater(Images.open(file, byName(OpenOptions.readOnly())));
    assertHolds(content, device);
    assertSound(device);
  }

  @Test
  void aVirtualSizeBeyondTheLimitIsRefusedAndNamesTheFile() throws IOException {
    byte[] image = filledImage();
    ChangeCounter counter = new ChangeCounter(new MemoryFile(NAME, image), 0);
    Limits limits = Limits.DEFAULT.withVirtualSize(contract.size() - 1);
    OpenOptions options = byName(OpenOptions.readWrite()).withLimits(limits);
    ImageException refusal =
        assertThrows(ImageException.class, () -> Images.open(counter, options));
    assertNamesTheFile(refusal);
    assertEquals(0, counter.changes(), "changes of the host file");
  }

  @Test
  void theFileStaysTheCallers() throws IOException {
    MemoryFile file = new MemoryFile(NAME, filledImage());
    Images.open(file, byName(OpenOptions.readOnly())).close();
    assertTrue(file.size() > 0);
  }
}
