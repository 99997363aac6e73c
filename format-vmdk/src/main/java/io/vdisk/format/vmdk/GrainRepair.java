package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Mends the tables of one file from each other: a directory entry or an entry of a table that
 * cannot be right is replaced by its copy's, if that can; where both can be, readers' copy is
 * right. One thread, alone; each step leaves tables that are as good as before.
 */
final class GrainRepair {
  private static final int SECTOR = SparseHeader.SECTOR;

  private final GrainGeometry geometry;
  private final HostFile file;
  private final SpaceBits used;

  GrainRepair(GrainGeometry geometry) throws IOException {
    this.geometry = geometry;
    this.file = geometry.file();
    this.used = new SpaceBits(file.size() + geometry.grainSize(), SECTOR);
  }

  void mend() throws IOException {
    if (!geometry.isRedundant() || geometry.isCompressed()) {
      return;
    }
    mendDirectories();
    mendTables();
    new TableCopies(geometry).makeEqual();
    file.flush();
  }

  /** Claims what both directories name; a table that is nowhere is made again from its copy. */
  private void mendDirectories() throws IOException {
    boolean unused =
        used.claim(0, geometry.headerEnd())
            && used.claim(geometry.directory(), geometry.directoryBytes())
            && used.claim(geometry.redundant(), geometry.directoryBytes());
    boolean[] isFirst = new boolean[Math.toIntExact(geometry.tables())];
    boolean[] isSecond = new boolean[isFirst.length];
    for (int table = 0; table < isFirst.length; table++) {
      isFirst[table] = claimTable(name(geometry.directory(), table));
    }
    for (int table = 0; table < isSecond.length; table++) {
      isSecond[table] = claimTable(name(geometry.redundant(), table));
    }
    for (int table = 0; table < isFirst.length; table++) {
      if (isFirst[table] != isSecond[table]) {
        long good = isFirst[table] ? geometry.directory() : geometry.redundant();
        long bad = isFirst[table] ? geometry.redundant() : geometry.directory();
        copyTable(name(good, table), bad, table);
      }
    }
  }

  private boolean claimTable(long sector) throws IOException {
    long place = sector * SECTOR;
    int bytes = geometry.tableBytes();
    return sector != 0
        && place <= file.size() - bytes
        && geometry.isFree(place, bytes)
        && used.claim(place, bytes);
  }

  private void copyTable(long sector, long directory, long table) throws IOException {
    long grain = geometry.grainSize();
    long place = (file.size() + grain - 1) & -grain;
    ByteBuffer entries = table(sector * SECTOR);
    file.resize(place + Math.max(grain, geometry.tableBytes()));
    file.write(entries, place);
    file.flush();
    writeInt(place / SECTOR, directory + table * Integer.BYTES);
    file.flush();
  }

  private void mendTables() throws IOException {
    for (long table = 0; table < geometry.tables(); table++) {
      long first = name(geometry.directory(), table) * SECTOR;
      long second = name(geometry.redundant(), table) * SECTOR;
      boolean isWhole = isTable(first) && isTable(second);
      if (isTable(first)) {
        mendTable(first, isWhole ? second : first);
      }
    }
  }

  private boolean isTable(long place) throws IOException {
    int bytes = geometry.tableBytes();
    return place != 0 && place <= file.size() - bytes && geometry.isFree(place, bytes);
  }

  private void mendTable(long place, long copyPlace) throws IOException {
    ByteBuffer entries = table(place);
    ByteBuffer copies = table(copyPlace);
    for (int at = 0; at < geometry.tableBytes(); at += Integer.BYTES) {
      int entry = entries.getInt(at);
      int copy = copies.getInt(at);
      if (!claimGrain(entry) && entry != copy && claimGrain(copy)) {
        writeInt(Integer.toUnsignedLong(copy), place + at);
      }
    }
  }

  /** Whether an entry can be right; what it names is taken then. */
  private boolean claimGrain(int entry) throws IOException {
    if (entry == 0 || (entry == GrainTables.ZEROED && geometry.hasZeroed())) {
      return true;
    }
    long place = Integer.toUnsignedLong(entry) * SECTOR;
    return place < file.size()
        && geometry.isFree(place, geometry.grainSize())
        && used.claim(place, geometry.grainSize());
  }

  private ByteBuffer table(long place) throws IOException {
    ByteBuffer entries = ByteBuffer.allocate(geometry.tableBytes()).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(entries, place);
    return entries.flip();
  }

  /** The sector that a directory has for a table. */
  private long name(long directory, long table) throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(entry, directory + table * Integer.BYTES);
    return Integer.toUnsignedLong(entry.getInt(0));
  }

  private void writeInt(long value, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.write(bytes.putInt(0, (int) value), offset);
  }
}
