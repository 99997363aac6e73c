package io.vdisk.format.raw;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.util.List;

class RawModelTest extends BlockDeviceModel {
  private static final List<ImageFormat> FORMATS = List.of(new RawFormat());

  private HostFile file = new MemoryFile("disk.raw");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("disk.raw");
    return Images.create(file, CreateOptions.of("raw", size()).withFormats(FORMATS));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormat("raw").withFormats(FORMATS));
  }
}
