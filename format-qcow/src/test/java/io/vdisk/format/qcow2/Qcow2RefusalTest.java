package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is not supported is refused by its name, and never misread. */
class Qcow2RefusalTest {
  private static final OpenOptions READ =
      OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
  private static final OpenOptions WRITE =
      OpenOptions.readWrite().withFormats(List.of(new Qcow2Format()));

  @Test
  void dirtyImageIsReadAsItIsAndRepairedBeforeItIsWritten() throws IOException {
    MemoryFile file = Samples.open("dirty.qcow2");
    try (BlockDevice device = Images.open(file, READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(65_536 + 512);
      device.read(bytes, 0);
      assertEquals(7, bytes.get(65_535));
      assertEquals(0, bytes.get(65_536));
    }
    Images.open(file, WRITE).close();
    ByteBuffer features = ByteBuffer.allocate(8);
    file.readFully(features, 72);
    assertEquals(0, features.getLong(0));
  }

  @Test
  void corruptImageIsReadAndNotWritten() throws IOException {
    MemoryFile file = new MemoryFile("image");
    CreateOptions options =
        CreateOptions.of("qcow2", 1 << 20).withFormats(List.of(new Qcow2Format()));
    Images.create(file, options).close();
    file.write(ByteBuffer.allocate(8).putLong(0, 2), 72);
    Images.open(file, READ).close();
    UnsupportedImageException e =
        assertThrows(UnsupportedImageException.class, () -> Images.open(file, WRITE));
    assertTrue(e.getMessage().contains("marked corrupt"), e.getMessage());
  }
}
