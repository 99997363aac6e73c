package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.ReusedSpaceContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class VhdReusedSpaceTest extends ReusedSpaceContract {
  @Override
  protected CreateOptions creation(long size) {
    return CreateOptions.of("vhd", size)
        .withFormats(List.of(new VhdFormat()))
        .withOption("block_size", "" + UNIT);
  }

  /** Before the footer lies what a power cut lost: bytes that no entry names, bitmap or not. */
  @Test
  void bitmapInLostSpaceIsThereBeforeItsBlockIsNamed() throws IOException {
    Disks disks = new Disks();
    byte[] parent = Disks.random(8 * UNIT, 1);
    try (BlockDevice device = disks.create("p.vhd", disks.creating(parent.length))) {
      Disks.write(device, parent, 0);
    }
    CrashDisk disk = new CrashDisk();
    HostFile file = disk.file("a.vhd");
    disks.put("a.vhd", file);
    disks.create("a.vhd", disks.child("p.vhd", "vhd", "block_size", "" + UNIT)).close();
    byte[] lost = new byte[4 * UNIT];
    Arrays.fill(lost, (byte) -1);
    ByteBuffer footer = ByteBuffer.allocate(512);
    file.readFully(footer, file.size() - 512);
    file.write(ByteBuffer.wrap(lost), file.size() - 512);
    file.write(footer.flip(), file.size());
    file.flush();
    byte[] content = parent.clone();
    content[5 * UNIT + 1000] ^= 1;
    Random random = new Random(Long.getLong("vdisk.seed", 1));
    try (BlockDevice device = disks.write("a.vhd")) {
      disk.setHook(
          event -> {
            for (int i = 0; i < 6; i++) {
              HostFile left = disk.cut(random).files().get(0);
              try (BlockDevice survivor = Images.open(left, disks.reading())) {
                byte[] found = Samples.content(survivor);
                assertTrue(
                    Arrays.equals(found, parent) || Arrays.equals(found, content), "" + event);
              }
            }
          });
      Disks.write(device, new byte[] {content[5 * UNIT + 1000]}, 5 * UNIT + 1000);
      assertTrue(device.extentAt(5 * UNIT + 1000, 1).fileOffset() < file.size() - 512 - UNIT);
      device.flush();
      disk.setHook(event -> {});
    }
    assertArrayEquals(content, disks.content("a.vhd"));
  }
}
