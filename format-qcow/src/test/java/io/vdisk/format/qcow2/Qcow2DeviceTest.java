package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** qcow2 keeps the contract of block devices, whatever its clusters. */
class Qcow2DeviceTest {
  /** With clusters of a size. */
  abstract static class Clusters extends BlockDeviceContract {
    private final int clusterSize;
    private MemoryFile file = new MemoryFile("image");

    Clusters(int clusterSize) {
      this.clusterSize = clusterSize;
    }

    /** Further options of creation. */
    Map<String, String> choices() {
      return Map.of();
    }

    @Override
    protected boolean isEnciphered() {
      return choices().containsKey("encrypt.format");
    }

    @Override
    protected int unit() {
      return clusterSize;
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      file = new MemoryFile("image");
      CreateOptions options =
          CreateOptions.of("qcow2", size)
              .withFormats(Qcow2Subject.FORMATS)
              .withSecrets(Samples.SECRETS)
              .withOption("cluster_size", Integer.toString(clusterSize));
      for (Map.Entry<String, String> choice : choices().entrySet()) {
        options = options.withOption(choice.getKey(), choice.getValue());
      }
      return Images.create(file, options);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      device.close();
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      return Images.open(
          file, options.withFormats(Qcow2Subject.FORMATS).withSecrets(Samples.SECRETS));
    }
  }

  @Nested
  class Smallest extends Clusters {
    Smallest() {
      super(512);
    }
  }

  @Nested
  class EncryptedByAes extends Clusters {
    EncryptedByAes() {
      super(4096);
    }

    @Override
    Map<String, String> choices() {
      return Map.of("encrypt.format", "aes");
    }
  }

  @Nested
  class Luks extends Clusters {
    Luks() {
      super(4096);
    }

    @Override
    Map<String, String> choices() {
      return Qcow2Subject.LUKS;
    }
  }

  @Nested
  class Usual extends Clusters {
    Usual() {
      super(65_536);
    }
  }

  @Nested
  class ExtendedL2 extends Clusters {
    ExtendedL2() {
      super(16_384);
    }

    @Override
    Map<String, String> choices() {
      return Map.of("extended_l2", "on");
    }
  }
}
