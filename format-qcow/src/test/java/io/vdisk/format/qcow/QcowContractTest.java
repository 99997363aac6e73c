package io.vdisk.format.qcow;

import io.vdisk.CreateOptions;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;
import org.junit.jupiter.api.Nested;

/** qcow version 1 keeps the contract of formats, with Xen's extension and without. */
class QcowContractTest {
  @Nested
  class Plain extends Contract {
    Plain() {
      super("off");
    }
  }

  @Nested
  class XensHeader extends Contract {
    XensHeader() {
      super("on");
    }
  }

  private abstract static class Contract extends ImageFormatContract {
    /** Bytes of the header of version 1. */
    private static final int HEADER = 48;

    private final String xen;

    Contract(String xen) {
      this.xen = xen;
    }

    @Override
    protected ImageFormat format() {
      return new QcowFormat();
    }

    @Override
    protected int headerSize() {
      return HEADER;
    }

    @Override
    protected CreateOptions creation(long size) {
      return super.creation(size).withOption("xen", xen);
    }
  }
}
