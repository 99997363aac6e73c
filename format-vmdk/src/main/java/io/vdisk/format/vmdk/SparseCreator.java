package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Makes a hosted sparse extent without a grain: header, descriptor, redundant directory and tables,
 * directory and tables, in this order, as VMware and QEMU lay them out. All tables are there, so
 * that a write changes entries alone.
 */
final class SparseCreator {
  private static final int SECTOR = SparseHeader.SECTOR;
  private static final int STEP = 64 << 10;

  /** Sectors that VMware and QEMU keep for a descriptor. */
  static final int DESCRIPTOR_SECTORS = 20;

  private final SparseHeader header;
  private final long tables;
  private final int tableSectors;

  /**
   * An extent.
   *
   * @param descriptorSectors kept for a descriptor; 0: none
   */
  SparseCreator(long capacity, long grainSize, boolean hasZeroed, int descriptorSectors) {
    long grainSectors = grainSize / SECTOR;
    long span = grainSize * SparseHeader.TABLE_ENTRIES;
    this.tables = (capacity + span - 1) / span;
    this.tableSectors = SparseHeader.TABLE_ENTRIES * Integer.BYTES / SECTOR;
    long directorySectors = (tables * Integer.BYTES + SECTOR - 1) / SECTOR;
    long copySectors = directorySectors + tables * tableSectors;
    long redundant = 1L + descriptorSectors;
    long overhead = redundant + 2 * copySectors;
    this.header =
        new SparseHeader(
            hasZeroed ? SparseHeader.VERSION_ZEROED : 1,
            SparseHeader.NEWLINES
                | SparseHeader.REDUNDANT
                | (hasZeroed ? SparseHeader.ZEROED_GRAINS : 0),
            capacity / SECTOR,
            grainSectors,
            descriptorSectors == 0 ? 0 : 1,
            descriptorSectors,
            SparseHeader.TABLE_ENTRIES,
            redundant,
            redundant + copySectors,
            (overhead + grainSectors - 1) / grainSectors * grainSectors,
            false,
            SparseHeader.NEWLINE_BYTES,
            0);
  }

  /** Sectors that a descriptor of so many bytes needs. */
  static int descriptorSectors(int bytes) {
    return Math.max(DESCRIPTOR_SECTORS, (bytes + SECTOR - 1) / SECTOR);
  }

  /** Bytes of the file without a grain. */
  long bytes() {
    return header.overhead() * SECTOR;
  }

  /** Bytes of a grain directory. */
  long directoryBytes() {
    return tables * Integer.BYTES;
  }

  /** Writes the extent; its header last, when all else is durable if that is asked for. */
  void write(HostFile file, Optional<byte[]> descriptor, boolean isDurable) throws IOException {
    if (file.size() == 0) {
      file.resize(bytes());
    } else {
      zero(file, SECTOR, bytes() - SECTOR);
    }
    if (descriptor.isPresent()) {
      file.write(ByteBuffer.wrap(descriptor.get()), SECTOR);
    }
    writeDirectory(file, header.redundantDirectory());
    writeDirectory(file, header.directory());
    if (isDurable) {
      file.flush();
    }
    file.write(header.encode(), 0);
  }

  private void writeDirectory(HostFile file, long sector) throws IOException {
    long first = sector + (tables * Integer.BYTES + SECTOR - 1) / SECTOR;
    ByteBuffer names = ByteBuffer.allocate(STEP).order(ByteOrder.LITTLE_ENDIAN);
    long place = sector * SECTOR;
    for (long table = 0; table < tables; ) {
      names.clear();
      while (names.hasRemaining() && table < tables) {
        names.putInt((int) (first + table * tableSectors));
        table++;
      }
      int bytes = names.position();
      file.write(names.flip(), place);
      place += bytes;
    }
  }

  static void zero(HostFile file, long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(1 << 20, length));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      file.write(zeroes, offset + done);
    }
  }
}
