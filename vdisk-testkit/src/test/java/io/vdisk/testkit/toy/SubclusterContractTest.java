package io.vdisk.testkit.toy;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class SubclusterContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new SubclusterFormat();
  }

  @Override
  protected int headerSize() {
    return ToyHeader.BYTES;
  }
}
