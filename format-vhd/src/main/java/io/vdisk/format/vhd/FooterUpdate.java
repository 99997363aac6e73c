package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import java.io.IOException;

/**
 * Writes another footer, first the copy at the beginning, which is believed: a power cut between
 * the two leaves footers that differ, and the disk as the copy says.
 */
final class FooterUpdate {
  private final Footers footers;
  private final HostFile file;

  FooterUpdate(Footers footers, HostFile file) {
    this.footers = footers;
    this.file = file;
  }

  /** Writes it where the footers are; returns when both are durable. */
  void write(HardDiskFooter footer) throws IOException {
    writeAt(footer, footers.endOffset());
  }

  /** Writes it, the end of the file being elsewhere. */
  void writeAt(HardDiskFooter footer, long endOffset) throws IOException {
    if (!footer.is(DiskType.FIXED)) {
      file.write(footer.bytes(), 0);
      file.flush();
    }
    file.write(footer.bytes(), endOffset);
    file.flush();
  }
}
