package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Optional;

class PlainModelTest extends BlockDeviceModel {
  @Override
  protected BlockDevice create() {
    return new PlainImage(size()).open(true, Optional.empty());
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return ((PlainImage.Device) device).image().open(true, Optional.empty());
  }

  @Override
  protected int unit() {
    return PlainImage.UNIT;
  }
}
