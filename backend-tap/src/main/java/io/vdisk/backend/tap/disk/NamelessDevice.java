package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;

/**
 * A device that does not say which image it is. A standby image names the parent of the image above
 * which it stands, and would refuse that one by its id.
 */
final class NamelessDevice extends ForwardingDevice {
  NamelessDevice(BlockDevice device) {
    super(device);
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("raw", size(), 1).build();
  }
}
