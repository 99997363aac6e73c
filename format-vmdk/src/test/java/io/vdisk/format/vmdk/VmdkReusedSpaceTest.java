package io.vdisk.format.vmdk;

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
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class VmdkReusedSpaceTest {
  private static final int UNIT = 65_536;

  /** A host that cannot punch holes: what was there stays until it is overwritten. */
  private static final class SolidFile extends ForwardingFile {
    SolidFile(HostFile file) {
      super(file);
    }

    @Override
    public void close() {}

    @Override
    public boolean zero(long offset, long length, boolean keepSpace) {
      return false;
    }
  }

  @Test
  void grainInTheSpaceOfAnotherShowsNothingOfThat() throws IOException {
    CreateOptions creation =
        CreateOptions.of("vmdk", 8 * UNIT)
            .withFormats(VmdkSubject.FORMATS)
            .withOption("grain_size", "" + UNIT);
    try (BlockDevice device = Images.create(new SolidFile(new MemoryFile("image")), creation)) {
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

  /** A table that is named before it is written would name what the grain there held. */
  @Test
  void tableInTheSpaceOfAGrainIsThereBeforeItIsNamed() throws IOException {
    CrashDisk disk = new CrashDisk();
    List<HostFile> files =
        List.of(new SolidFile(disk.file("image")), new SolidFile(disk.file("extent")));
    VmdkSubject subject = new VmdkSubject("vmfsSparse", 2, 5 << 20, List.of());
    subject.create(files, subject.size(), Optional.empty());
    Random random = new Random(Long.getLong("vdisk.seed", 1));
    int[] tables = new int[1];
    try (BlockDevice device = subject.open(files, true, Optional.empty())) {
      byte[] old = new byte[UNIT];
      Arrays.fill(old, (byte) 7);
      device.write(ByteBuffer.wrap(old), 0);
      device.flush();
      device.discard(0, UNIT);
      device.flush();
      device.flush();
      disk.setHook(
          event -> {
            for (int i = 0; i < 6; i++) {
              assertEquals(List.of(), subject.check(disk.cut(random).files()), () -> "" + event);
              tables[0]++;
            }
          });
      device.write(ByteBuffer.wrap(new byte[] {1}), 4 << 20);
      device.flush();
      disk.setHook(event -> {});
    }
    assertTrue(tables[0] > 0);
  }
}
