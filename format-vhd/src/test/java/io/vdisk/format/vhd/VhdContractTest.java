package io.vdisk.format.vhd;

import io.vdisk.CreateOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import java.util.Map;
import org.junit.jupiter.api.Nested;

/** VHD keeps the contract of formats. */
class VhdContractTest {
  @Nested
  class Dynamic extends Contract {
    Dynamic() {
      super(1536, Map.of("block_size", "16384"));
    }
  }

  @Nested
  class Xen extends Contract {
    Xen() {
      super(1536, Map.of("xen", "on"));
    }
  }

  @Nested
  class Fixed extends Contract {
    Fixed() {
      super(0, Map.of("subformat", "fixed"));
    }
  }

  private abstract static class Contract extends ImageFormatContract {
    private final int headerSize;
    private final Map<String, String> options;

    Contract(int headerSize, Map<String, String> options) {
      this.headerSize = headerSize;
      this.options = options;
    }

    @Override
    protected ImageFormat format() {
      return new VhdFormat();
    }

    @Override
    protected int headerSize() {
      return headerSize;
    }

    @Override
    protected CreateOptions creation(long size) {
      CreateOptions creation = super.creation(size);
      for (Map.Entry<String, String> option : options.entrySet()) {
        creation = creation.withOption(option.getKey(), option.getValue());
      }
      return creation;
    }
  }
}
