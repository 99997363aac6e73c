package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.CreateOptions;
import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How images come into being. */
abstract class CreatingCases extends FormatCases {
  CreatingCases(ImageFormatContract contract) {
    super(contract);
  }

  @Test
  void aNewImageIsEmptyWritableAndSound() throws IOException {
    BlockDevice device = closeLater(Images.create(new MemoryFile(NAME), creation()));
    assertTrue(device.capabilities().contains(Capability.WRITE));
    assertEquals(format().name(), device.info().format());
    assertEquals(contract.size(), device.info().virtualSize());
    assertHolds(new byte[contract.size()], device);
    assertSound(device);
  }

  @Test
  void aNewImageCanBeWrittenAndIsSoundThen() throws IOException {
    BlockDevice device = closeLater(Images.create(new MemoryFile(NAME), creation()));
    contract.fill(device);
    device.flush();
    assertSound(device);
  }

  @Test
  void anUnknownOptionIsRefusedByItsName() throws IOException {
    MemoryFile file = new MemoryFile(NAME);
    CreateOptions options = creation().withOption("no_such_option", "1");
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> Images.create(file, options));
    assertTrue(String.valueOf(refusal.getMessage()).contains("no_such_option"), refusal.toString());
    assertEquals(0, file.size(), "bytes in the file after the refusal");
  }

  @Test
  void aFileThatIsNotEmptyIsRefusedAndStaysAsItIs() throws IOException {
    byte[] content = bytes(1, 1);
    MemoryFile file = new MemoryFile(NAME, content);
    IOException refusal = assertThrows(IOException.class, () -> Images.create(file, creation()));
    assertNamesTheFile(refusal);
    assertSame(content, bytesOf(file), 0);
  }

  @Test
  void aVirtualSizeBeyondTheLimitIsRefused() throws IOException {
    MemoryFile file = new MemoryFile(NAME);
    CreateOptions options =
        creation().withLimits(Limits.DEFAULT.withVirtualSize(contract.size() - 1));
    assertThrows(ImageException.class, () -> Images.create(file, options));
    assertEquals(0, file.size(), "bytes in the file after the refusal");
  }

  @Test
  void aBackingFileThatThePolicyDeniesIsRefused() {
    CreateOptions options =
        CreateOptions.overlay(format().name(), "nowhere", null).withFormats(List.of(format()));
    MemoryFile file = new MemoryFile(NAME);
    Exception refusal = assertThrows(Exception.class, () -> Images.create(file, options));
    assertTrue(
        refusal instanceof ReferenceDeniedException || refusal instanceof IllegalArgumentException,
        refusal.toString());
  }

  /**
   * The header is written last: cuts the power before every change that creation makes. What is
   * left is not recognised and cannot be opened, or it is the whole image.
   */
  @Test
  void halfAnImageIsNone() throws IOException {
    int cuts = 0;
    while (leavesNoHalfImage(cuts)) {
      cuts++;
    }
    assertTrue(cuts > 0, "creation changed nothing");
  }

  /** Whether the power went off before creation was done. */
  private boolean leavesNoHalfImage(int changes) throws IOException {
    MemoryFile file = new MemoryFile(NAME);
    ChangeCounter counter = new ChangeCounter(file, changes);
    try (BlockDevice device = Images.create(counter, creation())) {
      assertEquals(contract.size(), device.size());
    } catch (IOException e) {
      if (!counter.isCut()) {
        throw e;
      }
    }
    Probe probe = format().probe(file);
    if (probe != Probe.NO) {
      try (BlockDevice device = Images.open(file, byName(OpenOptions.readOnly()))) {
        boolean whole = contract.isRecognised() || !counter.isCut();
        assertHolds(new byte[whole ? contract.size() : (int) file.size()], device);
        assertSound(device);
      } catch (IOException e) {
        throw new AssertionError("recognised after " + changes + " changes, but not whole", e);
      }
    } else {
      assertTrue(counter.isCut(), "a whole image is not recognised");
      assertThrows(
          IOException.class,
          () -> Images.open(file, byName(OpenOptions.readOnly())),
          () -> "opened after " + changes + " changes, but not recognised");
    }
    return counter.isCut();
  }
}
