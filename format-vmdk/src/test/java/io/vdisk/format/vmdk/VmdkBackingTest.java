package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.BackingContract;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;

/** Delta disks over a backing device. */
class VmdkBackingTest {
  @Nested
  class Sparse extends Contract {
    Sparse() {
      super("monolithicSparse", 65_536);
    }
  }

  @Nested
  class ZeroedGrains extends Contract {
    ZeroedGrains() {
      super("monolithicSparse", 8192, "zeroed_grain=on", "grain_size=8192");
    }
  }

  @Nested
  class Split extends Contract {
    Split() {
      super("twoGbMaxExtentSparse", 65_536);
    }
  }

  @Nested
  class Cowd extends Contract {
    Cowd() {
      super("vmfsSparse", 4096, "grain_size=4096");
    }
  }

  private abstract static class Contract extends BackingContract {
    private final String subformat;
    private final int unit;
    private final String[] options;
    private final Map<BlockDevice, List<HostFile>> files = new IdentityHashMap<>();

    Contract(String subformat, int unit, String... options) {
      this.subformat = subformat;
      this.unit = unit;
      this.options = options;
    }

    private VmdkSubject subject() {
      return new VmdkSubject(subformat, 2, 0, List.of(options));
    }

    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      List<HostFile> made = KeptFile.inMemory();
      subject().create(made, size, Optional.of(backing));
      return open(made, backing, true);
    }

    private BlockDevice open(List<HostFile> made, BlockDevice backing, boolean writable)
        throws IOException {

      BlockDevice device = subject().open(made, writable, Optional.of(backing));
      files.put(device, made);
      return device;
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
        throws IOException {
      device.close();
      return open(files.get(device), backing, writable);
    }

    @Override
    protected int unit() {
      return unit;
    }
  }
}
