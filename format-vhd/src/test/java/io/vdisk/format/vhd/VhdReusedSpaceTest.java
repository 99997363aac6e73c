package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.CrashDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class VhdReusedSpaceTest {
  private static final int UNIT = 65_536;

  /** A host that cannot punch holes: what was there stays until it is overwritten. */
  private static final class SolidFile extends ForwardingFile {
    SolidFile() {
      super(new MemoryFile("image"));
    }

    @Override
    public boolean zero(long offset, long length, boolean keepSpace) {
      return false;
    }
  }

  @Test
  void blockInTheSpaceOfAnotherShowsNothingOfThat() throws IOException {
    CreateOptions creation =
        CreateOptions.of("vhd", 8 * UNIT)
            .withFormats(List.of(new VhdFormat()))
            .withOption("block_size", "" + UNIT);
    try (BlockDevice device = Images.create(new SolidFile(), creation)) {
      byte[] secret = new byte[UNIT];
      Arrays.fill(secret, (byte) 7);
      device.write(ByteBuffer.wrap(secret), 0);
      device.flush();
      long place = device.extentAt(0, 1).fileOffset();
      device.discard(0, UNIT);
      device.flush();
      device.flush();
      device.write(ByteBuffer.wrap(new byte[] {1}), 5 * UNIT + 1000);
      assertEquals(place, device.extentAt(5 * UNIT, 1).fileOffset());
      byte[] expected = new byte[UNIT];
      expected[1000] = 1;
      ByteBuffer found = ByteBuffer.allocate(UNIT);
      device.read(found, 5 * UNIT);
      assertArrayEquals(expected, found.array());
    }
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
