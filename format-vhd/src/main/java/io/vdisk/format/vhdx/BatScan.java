package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the block allocation table through, a mebibyte at a time, past what is in memory. */
final class BatScan {
  private static final int STEP = 1 << 20;

  private BatScan() {}

  /** Takes the entries that are not all zero, in order. */
  @FunctionalInterface
  interface Visitor {
    /** Looks at an entry; false ends the scan. */
    boolean visit(long number, BatEntry entry) throws IOException;
  }

  /** Shows the entries of a disk. */
  static void scan(HostFile file, VhdxStructure structure, Visitor visitor) throws IOException {
    BatGeometry geometry = BatGeometry.of(structure.disk());
    long entries = geometry.entries(structure.disk().parent().isPresent());
    ByteBuffer bytes = ByteBuffer.allocate(STEP).order(ByteOrder.LITTLE_ENDIAN);
    long number = 0;
    while (number < entries) {
      long at = structure.bat().offset() + number * Long.BYTES;
      long most = Math.min(STEP, (entries - number) * Long.BYTES);
      long end = file.dataEnd(at, most);
      if (end <= at && -end - at >= Long.BYTES) {
        number += (-end - at) / Long.BYTES; // a hole of the host
        continue;
      }
      bytes.clear().limit((int) most);
      file.readFully(bytes, at);
      for (bytes.flip(); bytes.hasRemaining(); number++) {
        long raw = bytes.getLong();
        if (raw != 0 && !visitor.visit(number, new BatEntry(raw))) {
          return;
        }
      }
    }
  }
}
