package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.BlockDeviceModel;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Random requests against a toy, shrunk on failure. */
abstract class ToyModel extends BlockDeviceModel {
  private final ToySubject subject;
  private List<HostFile> files = List.of();

  ToyModel(ToySubject subject) {
    this.subject = subject;
  }

  @Override
  protected BlockDevice create() throws IOException {
    files = ToyContracts.emptyFiles(subject.files());
    subject.create(files, size(), Optional.empty());
    return subject.open(files, true, Optional.empty());
  }

  @Override
  protected BlockDevice reopen(BlockDevice device) throws IOException {
    device.close();
    return subject.open(files, true, Optional.empty());
  }

  @Override
  protected int unit() {
    return subject.format().unit();
  }
}
