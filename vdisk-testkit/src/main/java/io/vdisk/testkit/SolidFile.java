package io.vdisk.testkit;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;

/**
 * A host file that cannot punch holes: what was there stays until it is overwritten. Stays open,
 * whoever closes it.
 */
public final class SolidFile extends ForwardingFile {
  /** Stands before {@code file}. */
  public SolidFile(HostFile file) {
    super(file);
  }

  @Override
  public void close() {}

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) {
    return false;
  }
}
