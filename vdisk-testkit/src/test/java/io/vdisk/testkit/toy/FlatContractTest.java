package io.vdisk.testkit.toy;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class FlatContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new FlatFormat(8);
  }

  @Override
  protected int headerSize() {
    return ToyHeader.BYTES;
  }
}
