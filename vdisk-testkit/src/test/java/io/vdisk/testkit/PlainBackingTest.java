package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Optional;

class PlainBackingTest extends BackingContract {
  @Override
  protected BlockDevice create(long size, BlockDevice backing) {
    return new PlainImage(size).open(true, Optional.of(backing));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
      throws IOException {
    device.close();
    return ((PlainImage.Device) device).image().open(writable, Optional.of(backing));
  }

  @Override
  protected int unit() {
    return PlainImage.UNIT;
  }
}
