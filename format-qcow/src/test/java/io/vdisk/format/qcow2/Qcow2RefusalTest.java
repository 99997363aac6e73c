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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is not supported is refused by its name, and never misread. */
class Qcow2RefusalTest {
  private static final OpenOptions READ =
      OpenOptions.readOnly().withFormats(List.of(new Qcow2Format()));
  private static final OpenOptions WRITE =
      OpenOptions.readWrite().withFormats(List.of(new Qcow2Format()));

  @ParameterizedTest
  @CsvSource({
    "snapshot.qcow2, internal snapshots (1)",
    "zstd.qcow2, compression type",
    "bitmap.qcow2, persistent dirty bitmaps"
  })
  void featureIsRefusedByName(String image, String feature) throws IOException {
    MemoryFile file = Samples.open(image);
    for (OpenOptions options : List.of(READ, WRITE)) {
      UnsupportedImageException e =
          assertThrows(UnsupportedImageException.class, () -> Images.open(file, options));
      assertTrue(e.getMessage().startsWith(image + ": "), e.getMessage());
      assertTrue(e.getMessage().contains(feature), e.getMessage());
    }
  }

  @Test
  void dirtyImageIsReadAndNotWritten() throws IOException {
    MemoryFile file = Samples.open("dirty.qcow2");
    try (BlockDevice device = Images.open(file, READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(65_536 + 512);
      device.read(bytes, 0);
      assertEquals(7, bytes.get(65_535));
      assertEquals(0, bytes.get(65_536));
    }
    UnsupportedImageException e =
        assertThrows(UnsupportedImageException.class, () -> Images.open(file, WRITE));
    assertTrue(e.getMessage().contains("marked dirty"), e.getMessage());
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
