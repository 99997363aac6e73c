package io.vdisk.format.vhd;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Forgets all blocks of a disk; when that is durable, the file is cut behind the metadata. */
final class VhdEmptying {
  private static final int STEP = 1 << 20;

  private final Structures structures;
  private final HostFile file;

  VhdEmptying(Structures structures) {
    this.structures = structures;
    this.file = structures.file();
  }

  void empty() throws IOException {
    clearBatmap();
    long length = structures.header().maxTableEntries() * Integer.BYTES;
    byte[] unused = new byte[(int) Math.min(STEP, length)];
    Arrays.fill(unused, (byte) 0xff);
    for (long done = 0; done < length; done += unused.length) {
      int step = (int) Math.min(unused.length, length - done);
      file.write(ByteBuffer.wrap(unused, 0, step), structures.header().tableOffset() + done);
    }
    file.flush();
    if (file.size() < file.capacity()) {
      long end = Structures.roundUp(structures.areas().end(), Structures.SECTOR);
      file.write(structures.footer().sealed().bytes(), end);
      file.flush();
      file.resize(end + HardDiskFooter.BYTES);
      file.flush();
    }
  }

  private void clearBatmap() throws IOException {
    Batmap batmap = Batmap.read(structures);
    if (batmap != null) {
      batmap.clear(0, structures.header().maxTableEntries());
    }
  }
}
