package io.vdisk.format.vhd;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * Another size of a fixed disk: the footer moves. What the disk grows by is zeroed by the engine,
 * the old footer with it.
 */
final class FixedResizing {
  private final HostFile file;
  private final Footers footers;

  FixedResizing(HostFile file, Footers footers) {
    this.file = file;
    this.footers = footers;
  }

  void resize(long virtualSize) throws IOException {
    long size = SparseResizing.checked(virtualSize, file.name());
    HardDiskFooter footer = footers.used().withSize(size);
    if (file.size() >= file.capacity()) {
      if (size > footers.endOffset()) {
        throw new UnsupportedImageException(
            file.name() + ": has only " + file.size() + " bytes, and cannot grow");
      }
      file.write(footer.bytes(), footers.endOffset());
      file.flush();
      return;
    }
    // Growing by one write. Where a power cut keeps the length alone, a repair finds the old
    // footer.
    file.write(footer.bytes(), size);
    file.flush();
    file.resize(size + HardDiskFooter.BYTES);
    file.flush();
  }
}
