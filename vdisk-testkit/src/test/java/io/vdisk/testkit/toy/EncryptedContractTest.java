package io.vdisk.testkit.toy;

import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.ImageFormatContract;

class EncryptedContractTest extends ImageFormatContract {
  @Override
  protected ImageFormat format() {
    return new EncryptedFormat();
  }

  @Override
  protected int headerSize() {
    return ToyHeader.BYTES;
  }
}
