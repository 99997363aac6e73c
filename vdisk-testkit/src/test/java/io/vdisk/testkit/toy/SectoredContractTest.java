package io.vdisk.testkit.toy;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class SectoredContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new SectoredFormat();
  }

  @Override
  protected int headerSize() {
    return ToyHeader.BYTES;
  }
}
