package io.vdisk.format.vhd;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Another size of a dynamic or differencing disk. Where the block allocation table has room the
 * footers alone change; otherwise all metadata is written anew, and blocks in its way move. What
 * the disk grows by is zeroed by the engine.
 */
final class SparseResizing {
  private static final int STEP = 1 << 20;

  private final Structures structures;
  private final HostFile file;

  SparseResizing(Structures structures) {
    this.structures = structures;
    this.file = structures.file();
  }

  /** A size in whole sectors that the format can have. */
  static long checked(long virtualSize, String name) throws UnsupportedImageException {
    if (virtualSize < 1) {
      throw new IllegalArgumentException("a virtual size of " + virtualSize);
    }
    VhdOptions.checkSize(virtualSize, name);
    return Structures.roundUp(virtualSize, Structures.SECTOR);
  }

  void resize(long virtualSize) throws IOException {
    long size = checked(virtualSize, file.name());
    long before = structures.blocks();
    long after = structures.blocksOf(size);
    HardDiskFooter footer = structures.footer().withSize(size).enabled();
    if (after > before) {
      // A table may name anything behind the last block of the disk.
      forget(before, Math.min(after, structures.header().maxTableEntries()));
    }
    if (hasRoom(after)) {
      new FooterUpdate(structures.footers(), file).write(footer);
      sumBatmap(size);
    } else {
      if (after > Structures.MAX_ENTRIES) {
        throw new UnsupportedImageException(
            file.name() + ": " + after + " blocks are more than a table has entries for");
      }
      new MetadataRewrite(structures).write(structures.header().withEntries(after), footer);
    }
    if (after < before) {
      forget(after, before);
    }
  }

  private boolean hasRoom(long blocks) {
    return blocks <= structures.header().maxTableEntries()
        && (structures.batmap().isEmpty()
            || structures.batmap().get().mapBytes() >= (blocks + 7) / 8);
  }

  /** Entries name nothing, durably. */
  private void forget(long from, long to) throws IOException {
    if (from >= to) {
      return;
    }
    byte[] unused = new byte[(int) Math.min(STEP, (to - from) * Integer.BYTES)];
    Arrays.fill(unused, (byte) 0xff);
    long end = structures.header().tableOffset() + to * Integer.BYTES;
    for (long at = end - (to - from) * Integer.BYTES; at < end; at += unused.length) {
      file.write(ByteBuffer.wrap(unused, 0, (int) Math.min(unused.length, end - at)), at);
    }
    file.flush();
  }

  /** Which bytes of the batmap are summed follows from the size of the disk. */
  private void sumBatmap(long size) throws IOException {
    if (structures.batmap().isPresent()) {
      BatmapHeader header = structures.batmap().get();
      ByteBuffer bits = Batmap.readBits(file, header);
      if (header.hasRightChecksum(bits, structures.virtualSize())) {
        file.write(header.withChecksum(bits, size).bytes(), header.headerOffset());
        file.flush();
      }
    }
  }
}
