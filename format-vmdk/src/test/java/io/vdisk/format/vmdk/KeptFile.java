package io.vdisk.format.vmdk;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.util.List;

/** A file that the test closes. */
final class KeptFile extends ForwardingFile {
  KeptFile(HostFile file) {
    super(file);
  }

  /** An image and its extent. */
  static List<HostFile> inMemory() {
    return List.of(new KeptFile(new MemoryFile("image")), new KeptFile(new MemoryFile("extent")));
  }

  @Override
  public void close() {}
}
