package io.vdisk.format.qcow;

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

/** qcow version 1 over a backing device. */
class QcowBackingTest {
  private static final List<ImageFormat> FORMATS = List.of(new QcowFormat());

  @Nested
  class SmallClusters extends Contract {
    SmallClusters() {
      super(1024);
    }
  }

  @Nested
  class LargeClusters extends Contract {
    LargeClusters() {
      super(65_536);
    }
  }

  private abstract static class Contract extends BackingContract {
    private final int clusterSize;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(int clusterSize) {
      this.clusterSize = clusterSize;
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateSession.create(
          file,
          CreateOptions.of("qcow", size)
              .withFormats(FORMATS)
              .withOption("cluster_size", Integer.toString(clusterSize))
              .withBacking("backing", null));
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
      return clusterSize;
    }
  }
}
