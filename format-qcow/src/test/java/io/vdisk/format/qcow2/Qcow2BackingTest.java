package io.vdisk.format.qcow2;

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

/** qcow2 over a backing device; version 2 cannot say that a cluster is zero. */
class Qcow2BackingTest {
  @Nested
  class Version3 extends Contract {
    Version3() {
      super("1.1", 65_536);
    }
  }

  @Nested
  class Version2 extends Contract {
    Version2() {
      super("0.10", 4096);
    }
  }

  /** Parts of a cluster are the backing device's, others not. */
  @Nested
  class ExtendedL2 extends Contract {
    ExtendedL2() {
      super("1.1", 16_384);
    }

    @Override
    CreateOptions choices(CreateOptions options) {
      return options.withOption("extended_l2", "on");
    }
  }

  private abstract static class Contract extends BackingContract {
    private final String compat;
    private final int clusterSize;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(String compat, int clusterSize) {
      this.compat = compat;
      this.clusterSize = clusterSize;
    }

    /** Further options of creation. */
    CreateOptions choices(CreateOptions options) {
      return options;
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateSession.create(
          file,
          choices(CreateOptions.of("qcow2", size))
              .withFormats(Qcow2Subject.FORMATS)
              .withOption("compat", compat)
              .withOption("cluster_size", Integer.toString(clusterSize))
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
      BlockDevice device =
          Images.open(file, options.withFormats(Qcow2Subject.FORMATS).withBacking(backing));
      files.put(device, file);
      return device;
    }

    @Override
    protected int unit() {
      return clusterSize;
    }
  }
}
