package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;

/** qcow2 with small clusters equals an array of bytes. */
class Qcow2ModelTest extends BlockDeviceModel {
  private static final int CLUSTER = 512;

  private MemoryFile file = new MemoryFile("image");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    return Images.create(
        file, choices(CreateOptions.of("qcow2", size()).withFormats(Qcow2Subject.FORMATS)));
  }

  /** What kind of image it is. */
  CreateOptions choices(CreateOptions options) {
    return options.withOption("cluster_size", Integer.toString(CLUSTER));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  @Override
  protected int unit() {
    return CLUSTER;
  }

  @Override
  protected int size() {
    return 40 * CLUSTER;
  }
}
