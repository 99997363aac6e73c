package io.vdisk.format.vmdk;

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

/** The bytes of a file, for reading; the module knows no raw images. */
final class PlainFormat implements ImageFormat {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public Probe probe(HostFile file) {
    return Probe.NO;
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
