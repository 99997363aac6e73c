package io.vdisk.spi.metadata.wrong;

import io.vdisk.BlockDevice;

/** A table that asks a device: what {@code ArchitectureTest} must find. */
final class KnowsDevices {
  long size(BlockDevice device) {
    return device.size();
  }
}
