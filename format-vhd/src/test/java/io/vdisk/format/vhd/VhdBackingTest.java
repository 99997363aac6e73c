package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.BackingContract;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** Differencing VHDs over a backing device. */
class VhdBackingTest {
  private static final List<ImageFormat> FORMATS = List.of(new VhdFormat());

  @Nested
  class SmallBlocks extends Contract {
    SmallBlocks() {
      super(1024);
    }
  }

  @Nested
  class LargeBlocks extends Contract {
    LargeBlocks() {
      super(65_536);
    }
  }

  private abstract static class Contract extends BackingContract {
    private final int blockSize;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(int blockSize) {
      this.blockSize = blockSize;
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateSession.create(
          file,
          CreateOptions.of("vhd", size)
              .withFormats(FORMATS)
              .withOption("block_size", Integer.toString(blockSize))
              .withBacking("backing", "raw"));
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
      BlockDevice device = Images.open(file, options.withFormats(FORMATS).withBacking(backing));
      files.put(device, file);
      return device;
    }

    @Override
    protected int unit() {
      return blockSize;
    }
  }
}
