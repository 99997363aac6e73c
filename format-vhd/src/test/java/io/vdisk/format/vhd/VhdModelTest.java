package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.util.List;

class VhdModelTest extends BlockDeviceModel {
  private HostFile file = new MemoryFile("image");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    return Images.create(
        file,
        CreateOptions.of("vhd", size())
            .withOption("block_size", Integer.toString(unit()))
            .withFormats(List.of(new VhdFormat())));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormats(List.of(new VhdFormat())));
  }

  @Override
  protected int unit() {
    return 8192;
  }
}
