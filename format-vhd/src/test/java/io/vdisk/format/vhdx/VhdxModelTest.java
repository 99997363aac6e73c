package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;

class VhdxModelTest extends BlockDeviceModel {
  private HostFile file = new MemoryFile("image");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    return Images.create(
        file,
        CreateOptions.of("vhdx", size())
            .withFormats(VhdxSubject.FORMATS)
            .withOption("block_size", "1048576"));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormats(VhdxSubject.FORMATS));
  }

  @Override
  protected int unit() {
    return 1 << 20;
  }

  @Override
  protected int size() {
    return 2 * unit() + 512;
  }
}
