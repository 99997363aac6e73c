package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Blocks from a sector up; the bitmaps of those above 16 MiB have several slices. */
@Timeout(300)
class VhdBlockSizeTest {
  private static final int SIZE = (70 << 20) + 1536;

  private final Disks disks = new Disks();

  @ParameterizedTest
  @CsvSource({
    "512, false",
    "512, true",
    "4096, true",
    "524288, false",
    "524288, true",
    "33554432, false",
    "33554432, true",
    "67108864, true",
    "268435456, false",
    "268435456, true"
  })
  void readsAsAnArrayDoes(int blockSize, boolean isChild) throws IOException {
    int size = blockSize < 65_536 ? 3 << 20 : SIZE;
    byte[] model = new byte[size];
    String block = Integer.toString(blockSize);
    if (isChild) {
      try (BlockDevice parent = disks.create("p.vhd", disks.creating(size))) {
        byte[] content = Disks.random(size / 2, 3);
        Disks.write(parent, content, 1000);
        System.arraycopy(content, 0, model, 1000, content.length);
      }
      disks.create("a.vhd", disks.child("p.vhd", "vhd", "block_size", block)).close();
    } else {
      disks.create("a.vhd", disks.creating(size, "block_size", block)).close();
    }
    Random random = new Random(blockSize);
    for (int opening = 0; opening < 3; opening++) {
      try (BlockDevice device = disks.write("a.vhd")) {
        for (int i = 0; i < 60; i++) {
          use(device, model, random);
        }
        assertArrayEquals(model, Samples.content(device));
      }
      disks.assertClean("a.vhd");
      assertArrayEquals(model, disks.content("a.vhd"));
    }
  }

  private static void use(BlockDevice device, byte[] model, Random random) throws IOException {
    int length = 1 + random.nextInt(random.nextInt(20) == 0 ? model.length : 9000);
    int offset = random.nextInt(model.length - length + 1);
    switch (random.nextInt(8)) {
      case 0 -> {
        device.writeZeroes(offset, length);
        Arrays.fill(model, offset, offset + length, (byte) 0);
      }
      case 1 -> {
        device.discard(offset, length);
        byte[] left = new byte[length];
        device.read(ByteBuffer.wrap(left), offset);
        for (int i = 0; i < length; i++) {
          assertEquals(left[i] == 0 ? 0 : model[offset + i], left[i]);
        }
        System.arraycopy(left, 0, model, offset, length);
      }
      case 2 -> device.flush();
      default -> {
        byte[] bytes = Disks.random(Math.min(length, 100_000), random.nextLong());
        Disks.write(device, bytes, offset);
        System.arraycopy(bytes, 0, model, offset, bytes.length);
      }
    }
  }
}
