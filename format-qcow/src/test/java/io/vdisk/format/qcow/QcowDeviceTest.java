package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/** qcow version 1 under the contract of block devices. */
class QcowDeviceTest {
  private static final List<ImageFormat> FORMATS = List.of(new QcowFormat());

  @Nested
  class Plain extends Contract {
    Plain() {
      super(4096, "off");
    }
  }

  @Nested
  class SmallClusters extends Contract {
    SmallClusters() {
      super(512, "off");
    }
  }

  @Nested
  class LargeClusters extends Contract {
    LargeClusters() {
      super(65_536, "off");
    }
  }

  @Nested
  class XensHeader extends Contract {
    XensHeader() {
      super(4096, "on");
    }
  }

  @Nested
  class Encrypted extends Contract {
    Encrypted() {
      super(4096, "off");
    }

    @Override
    protected boolean isEnciphered() {
      return true;
    }
  }

  private abstract static class Contract extends BlockDeviceContract {
    private final int clusterSize;
    private final String xen;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(int clusterSize, String xen) {
      this.clusterSize = clusterSize;
      this.xen = xen;
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateOptions options =
          CreateOptions.of("qcow", size)
              .withFormats(FORMATS)
              .withOption("cluster_size", Integer.toString(clusterSize))
              .withOption("xen", xen)
              .withSecrets(Samples.SECRETS);
      if (isEnciphered()) {
        options = options.withOption("encrypt.format", "aes");
      }
      return remember(Images.create(file, options), file);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      device.close();
      HostFile file = files.get(device);
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      return remember(
          Images.open(file, options.withFormats(FORMATS).withSecrets(Samples.SECRETS)), file);
    }

    @Override
    protected int unit() {
      return clusterSize;
    }

    /** QEMU and Xen open no disk below two bytes. */
    @Override
    protected boolean canHaveNoBytes() {
      return false;
    }

    /** The format has no word for "zero". */
    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }

    private BlockDevice remember(BlockDevice device, HostFile file) {
      files.put(device, file);
      return device;
    }
  }
}
