package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

class VmdkModelTest extends BlockDeviceModel {
  private List<HostFile> files = List.of();

  VmdkSubject vmdk() {
    return VmdkSubject.sparse("grain_size=4096");
  }

  @Override
  protected BlockDevice create() throws IOException {
    files = KeptFile.inMemory();
    vmdk().create(files, size(), Optional.empty());
    return open();
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return open();
  }

  private BlockDevice open() throws IOException {

    return vmdk().open(files, true, Optional.empty());
  }

  @Override
  protected int unit() {
    return 4096;
  }
}
