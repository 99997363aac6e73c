package io.vdisk.format.vhdx;

import io.vdisk.CreateOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import org.junit.jupiter.api.Nested;

/** VHDX keeps the contract of formats. */
class VhdxContractTest {
  @Nested
  class Dynamic extends Contract {
    Dynamic() {
      super("dynamic");
    }
  }

  @Nested
  class Fixed extends Contract {
    Fixed() {
      super("fixed");
    }
  }

  private abstract static class Contract extends ImageFormatContract {
    private final String subformat;

    Contract(String subformat) {
      this.subformat = subformat;
    }

    @Override
    protected ImageFormat format() {
      return new VhdxFormat();
    }

    /** The signature alone: the rest of the identifier is a name. */
    @Override
    protected int headerSize() {
      return 8;
    }

    @Override
    protected CreateOptions creation(long size) {
      return super.creation(size)
          .withOption("block_size", "1048576")
          .withOption("subformat", subformat);
    }
  }
}
