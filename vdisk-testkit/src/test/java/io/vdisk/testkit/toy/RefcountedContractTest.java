package io.vdisk.testkit.toy;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class RefcountedContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new RefcountedFormat();
  }

  @Override
  protected int headerSize() {
    return ToyHeader.BYTES;
  }
}
