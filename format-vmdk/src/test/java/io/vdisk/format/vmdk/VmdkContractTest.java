package io.vdisk.format.vmdk;

import io.vdisk.CreateOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import org.junit.jupiter.api.Nested;

/** The VMDK of one file keeps the contract of formats. */
class VmdkContractTest {
  @Nested
  class Sparse extends Contract {
    Sparse() {
      super("off");
    }
  }

  @Nested
  class ZeroedGrains extends Contract {
    ZeroedGrains() {
      super("on");
    }
  }

  private abstract static class Contract extends ImageFormatContract {
    private final String zeroed;

    Contract(String zeroed) {
      this.zeroed = zeroed;
    }

    @Override
    protected ImageFormat format() {
      return new VmdkFormat();
    }

    @Override
    protected int headerSize() {
      return 512;
    }

    @Override
    protected CreateOptions creation(long size) {
      return super.creation(size)
          .withOption("grain_size", "4096")
          .withOption("zeroed_grain", zeroed);
    }
  }
}
