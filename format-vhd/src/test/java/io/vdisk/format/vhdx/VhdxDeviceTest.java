package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/** VHDX under the contract of block devices. */
class VhdxDeviceTest {
  @Nested
  class Dynamic extends Contract {
    Dynamic() {
      super("dynamic", "on");
    }
  }

  @Nested
  class NotPresent extends Contract {
    NotPresent() {
      super("dynamic", "off");
    }
  }

  @Nested
  class Fixed extends Contract {
    Fixed() {
      super("fixed", "on");
    }

    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }
  }

  private abstract static class Contract extends BlockDeviceContract {
    private final String subformat;
    private final String stateZero;
    private final Map<BlockDevice, HostFile> files = new IdentityHashMap<>();

    Contract(String subformat, String stateZero) {
      this.subformat = subformat;
      this.stateZero = stateZero;
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      HostFile file = new MemoryFile("image");
      CreateOptions options =
          CreateOptions.of("vhdx", size)
              .withFormats(VhdxSubject.FORMATS)
              .withOption("block_size", "1048576")
              .withOption("subformat", subformat)
              .withOption("block_state_zero", stateZero);
      return remember(Images.create(file, options), file);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      device.close();
      HostFile file = files.get(device);
      OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
      return remember(Images.open(file, options.withFormats(VhdxSubject.FORMATS)), file);
    }

    @Override
    protected int unit() {
      return 1 << 20;
    }

    private BlockDevice remember(BlockDevice device, HostFile file) {
      files.put(device, file);
      return device;
    }
  }
}
