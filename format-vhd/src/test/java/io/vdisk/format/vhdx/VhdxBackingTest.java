package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.BackingContract;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** Differencing VHDX over a backing device. */
class VhdxBackingTest {
  @Nested
  class Sectors extends Contract {
    Sectors() {
      super(512);
    }
  }

  @Nested
  class LargeSectors extends Contract {
    LargeSectors() {
      super(4096);
    }
  }

  private abstract static class Contract extends BackingContract {
    private final int sectorSize;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(int sectorSize) {
      this.sectorSize = sectorSize;
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateSession.create(
          file,
          CreateOptions.of("vhdx", size)
              .withFormats(VhdxSubject.FORMATS)
              .withOption("block_size", "1048576")
              .withOption("logical_sector_size", Integer.toString(sectorSize))
              .withBacking("parent.vhdx", "vhdx")
              .withoutOpeningBacking());
      return open(file, backing, true);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
        throws IOException {
      device.close();
      return open(files.get(device), backing, writable);
    }

    private BlockDevice open(HostFile file, BlockDevice backing, boolean writable)
        throws IOException {
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      BlockDevice device =
          Images.open(file, options.withFormats(VhdxSubject.FORMATS).withBacking(backing));
      files.put(device, file);
      return device;
    }

    @Override
    protected int unit() {
      return 1 << 20;
    }

    @Override
    protected int sizeStep() {
      return sectorSize;
    }
  }
}
