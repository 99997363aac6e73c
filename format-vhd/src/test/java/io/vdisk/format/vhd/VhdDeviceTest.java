package io.vdisk.format.vhd;

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

/** Fixed and dynamic VHDs under the contract of block devices. */
class VhdDeviceTest {
  private static final List<ImageFormat> FORMATS = List.of(new VhdFormat());

  @Nested
  class Fixed extends Contract {
    Fixed() {
      super(65_536, Map.of("subformat", "fixed"));
    }

    /** The host's memory punches holes; whether a host can is not the format's to say. */
    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.FAST_ZERO);
    }
  }

  @Nested
  class SmallBlocks extends Contract {
    SmallBlocks() {
      super(4096, Map.of("block_size", "4096"));
    }
  }

  @Nested
  class Dynamic extends Contract {
    Dynamic() {
      super(65_536, Map.of("block_size", "65536"));
    }
  }

  @Nested
  class Xen extends Contract {
    Xen() {
      super(2 << 20, Map.of("xen", "on"));
    }
  }

  @Nested
  class Encrypted extends Contract {
    Encrypted() {
      super(65_536, Map.of("xen", "on", "encrypt.format", "aes-xts-plain"));
    }

    @Override
    protected boolean isEnciphered() {
      return true;
    }

    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }
  }

  private abstract static class Contract extends BlockDeviceContract {
    private final int unit;
    private final Map<String, String> creation;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(int unit, Map<String, String> creation) {
      this.unit = unit;
      this.creation = creation;
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateOptions options =
          CreateOptions.of("vhd", size).withFormats(FORMATS).withSecrets(Samples.KEY);
      for (Map.Entry<String, String> option : creation.entrySet()) {
        options = options.withOption(option.getKey(), option.getValue());
      }
      return remember(Images.create(file, options), file);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      device.close();
      HostFile file = files.get(device);
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      return remember(
          Images.open(file, options.withFormats(FORMATS).withSecrets(Samples.KEY)), file);
    }

    @Override
    protected int unit() {
      return unit;
    }

    /** What has no sector is no disk to anybody. */
    @Override
    protected boolean canHaveNoBytes() {
      return false;
    }

    private BlockDevice remember(BlockDevice device, HostFile file) {
      files.put(device, file);
      return device;
    }
  }
}
