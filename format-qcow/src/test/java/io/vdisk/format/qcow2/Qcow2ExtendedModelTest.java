package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;

/** qcow2 with subclusters equals an array of bytes. */
class Qcow2ExtendedModelTest extends BlockDeviceModel {
  private static final int SUBCLUSTER = 512;

  private MemoryFile file = new MemoryFile("image");

  @Override
  protected BlockDevice create() throws IOException {
    file = new MemoryFile("image");
    return Images.create(
        file,
        CreateOptions.of("qcow2", size())
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", "16k")
            .withOption("extended_l2", "on"));
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return Images.open(file, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  @Override
  protected int unit() {
    return SUBCLUSTER;
  }

  @Override
  protected int size() {
    return 100 * SUBCLUSTER;
  }
}
