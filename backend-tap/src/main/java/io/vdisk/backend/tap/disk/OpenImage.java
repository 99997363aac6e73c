package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;

/** One image of an open disk. */
record OpenImage(DiskDescriptor descriptor, BlockDevice device) {}
