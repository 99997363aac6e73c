package io.vdisk.testkit;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.util.List;

/** A file that whoever it is lent to may close without harm. */
final class KeptFile extends ForwardingFile {
  private KeptFile(HostFile file) {
    super(file);
  }

  static List<HostFile> of(List<? extends HostFile> files) {
    return files.stream().<HostFile>map(KeptFile::new).toList();
  }

  @Override
  public void close() {}
}
