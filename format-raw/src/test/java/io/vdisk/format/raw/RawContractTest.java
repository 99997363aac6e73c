package io.vdisk.format.raw;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class RawContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new RawFormat();
  }

  @Override
  protected int headerSize() {
    return 0;
  }

  @Override
  protected boolean isRecognised() {
    return false;
  }
}
