package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.util.List;

class QcowModelTest extends BlockDeviceModel {
  private HostFile file = new MemoryFile("image");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    return Images.create(
        file, CreateOptions.of("qcow", size()).withFormats(List.of(new QcowFormat())));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormats(List.of(new QcowFormat())));
  }

  @Override
  protected int unit() {
    return 4096;
  }
}
