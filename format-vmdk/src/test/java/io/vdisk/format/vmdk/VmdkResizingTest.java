package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VmdkResizingTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"monolithicFlat", "twoGbMaxExtentFlat", "vmfs"})
  void flatDiskGrowsByZeroesAndIsCut(String subformat) throws IOException {
    Path image = folder.resolve("disk.vmdk");
    byte[] model = new byte[1 << 20];
    new Random(1).nextBytes(model);
    try (BlockDevice device = Disks.create(image, model.length, "subformat=" + subformat)) {
      device.write(ByteBuffer.wrap(model), 0);
      Resizing resizing = device.feature(Resizing.class).orElseThrow();
      resizing.resize(3 << 20);
      assertEquals(3 << 20, device.size());
      model = Arrays.copyOf(model, 3 << 20);
      assertArrayEquals(model, Disks.read(device));
      device.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), (3 << 20) - 3);
      System.arraycopy(new byte[] {1, 2, 3}, 0, model, (3 << 20) - 3, 3);
      assertThrows(UnsupportedImageException.class, () -> resizing.resize(1000));
      assertThrows(UnsupportedImageException.class, () -> resizing.resize(0));
    }
    assertArrayEquals(model, Disks.read(image));
    try (BlockDevice device = Disks.open(image, true)) {
      device.feature(Resizing.class).orElseThrow().resize(512 * 7);
    }
    assertArrayEquals(Arrays.copyOf(model, 512 * 7), Disks.read(image));
    assertTrue(Files.readString(image).contains("RW 7 "), Files.readString(image));
  }

  @Test
  void sparseDiskKeepsItsSize() throws IOException {
    try (BlockDevice device = Disks.create(folder.resolve("disk.vmdk"), 1 << 20)) {
      assertTrue(device.feature(Resizing.class).isEmpty());
    }
  }
}
