package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.CrashDisk;
import io.vdisk.testkit.ReusedSpaceContract;
import io.vdisk.testkit.SolidFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class VmdkReusedSpaceTest extends ReusedSpaceContract {
  @Override
  protected CreateOptions creation(long size) {
    return CreateOptions.of("vmdk", size)
        .withFormats(VmdkSubject.FORMATS)
        .withOption("grain_size", "" + UNIT);
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
