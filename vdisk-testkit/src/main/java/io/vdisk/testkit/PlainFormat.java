package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.ImageLayout;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.util.Optional;

/** A raw disk, for reading: formats do not depend on each other, and may lie over such. */
public final class PlainFormat implements ImageFormat {
  /** A format without options. */
  public PlainFormat() {}

  @Override
  public String name() {
    return "raw";
  }

  @Override
  public Probe probe(HostFile file) {
    return Probe.WEAK;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    ImageInfo info = ImageInfo.builder(name(), file.size(), 1).build();
    ImageLayout layout =
        new ImageLayout() {
          @Override
          public ImageInfo info() {
            return info;
          }

          @Override
          public Mapping map(long offset, long length) {
            return Mapping.stored(file, offset, length, false);
          }
        };
    return context.device(layout, Optional.empty());
  }
}
