package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.BlockDeviceContract;
import java.io.IOException;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/** VMDK under the contract of block devices. */
class VmdkDeviceTest {
  @Nested
  class Sparse extends Contract {
    Sparse() {
      super("monolithicSparse", 65_536);
    }
  }

  @Nested
  class ZeroedGrains extends Contract {
    ZeroedGrains() {
      super("monolithicSparse", 4096, "zeroed_grain=on", "grain_size=4096");
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
      super("vmfsSparse", 512);
    }

    /** The tests look around units; a sector is too small for some. */
    @Override
    protected int unit() {
      return 4096;
    }
  }

  @Nested
  class Flat extends Contract {
    Flat() {
      super("monolithicFlat", 65_536);
    }

    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }
  }

  @Nested
  class SplitFlat extends Contract {
    SplitFlat() {
      super("twoGbMaxExtentFlat", 65_536);
    }

    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }
  }

  @Nested
  class Vmfs extends Contract {
    Vmfs() {
      super("vmfs", 65_536);
    }

    @Override
    protected Set<Capability> capabilities() {
      return EnumSet.of(Capability.WRITE, Capability.DISCARD);
    }
  }

  private abstract static class Contract extends BlockDeviceContract {
    private final String subformat;
    private final int unit;
    private final String[] options;
    private final Map<BlockDevice, List<HostFile>> files = new IdentityHashMap<>();

    Contract(String subformat, int unit, String... options) {
      this.subformat = subformat;
      this.unit = unit;
      this.options = options;
    }

    @Override
    protected BlockDevice create(long size) throws IOException {
      List<HostFile> made = KeptFile.inMemory();
      subject(size).create(made, size, Optional.empty());
      return open(made, true);
    }

    private VmdkSubject subject(long size) {
      return new VmdkSubject(subformat, 2, size, List.of(options));
    }

    private BlockDevice open(List<HostFile> made, boolean writable) throws IOException {

      BlockDevice device = subject(0).open(made, writable, Optional.empty());
      files.put(device, made);
      return device;
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      device.close();
      return open(files.get(device), writable);
    }

    @Override
    protected boolean canHaveNoBytes() {
      return false;
    }

    @Override
    protected int unit() {
      return unit;
    }
  }
}
