package io.vdisk.format.vmdk;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;

/** A file that the test closes. */
final class KeptFile extends ForwardingFile {
  KeptFile(HostFile file) {
    super(file);
  }

  @Override
  public void close() {}
}
