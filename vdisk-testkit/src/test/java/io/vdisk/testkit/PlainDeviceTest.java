package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Optional;

class PlainDeviceTest extends BlockDeviceContract {
  @Override
  protected BlockDevice create(long size) {
    return new PlainImage(size).open(true, Optional.empty());
  }

  @Override
  protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
    device.close();
    return ((PlainImage.Device) device).image().open(writable, Optional.empty());
  }

  @Override
  protected int unit() {
    return PlainImage.UNIT;
  }
}
