package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads all grain tables of a file in order, as they are on disk. One thread. */
final class TableWalk {
  private static final int STEP = 1 << 20;

  /** Told of what there is. */
  interface Visitor {
    /**
     * A table that the directory names; false: it cannot be read, and its entries are left out.
     *
     * @param place in the file; what it says has not been checked
     */
    boolean table(long table, long place) throws IOException;

    /**
     * An entry that is not 0.
     *
     * @param grain of the extent
     */
    void entry(long grain, long entry) throws IOException;
  }

  private final GrainGeometry geometry;
  private final HostFile file;
  private final ByteBuffer names = ByteBuffer.allocate(64 << 10).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer entries;

  /** What of the file {@link #entries} holds. */
  private long start;

  private long end;

  TableWalk(GrainGeometry geometry) {
    this.geometry = geometry;
    this.file = geometry.file();
    long all = Math.min(STEP, geometry.tables() * geometry.tableBytes());
    this.entries =
        ByteBuffer.allocate((int) Math.max(all, geometry.tableBytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Walks through the tables that this directory names. */
  void walk(long directory, Visitor visitor) throws IOException {
    long tables = geometry.tables();
    end = start;
    for (long first = 0; first < tables; ) {
      int count = (int) Math.min(names.capacity() / Integer.BYTES, tables - first);
      names.clear().limit(count * Integer.BYTES);
      read(names, directory + first * Integer.BYTES);
      for (int i = 0; i < count; i++) {
        long sector = Integer.toUnsignedLong(names.getInt(i * Integer.BYTES));
        long place = sector * SparseHeader.SECTOR;
        if (sector != 0 && visitor.table(first + i, place)) {
          visit(first + i, place, visitor);
        }
      }
      first += count;
    }
  }

  private void visit(long table, long place, Visitor visitor) throws IOException {
    int bytes = geometry.tableBytes();
    if (place < start || place + bytes > end) {
      long most = Math.min(entries.capacity(), Math.max(bytes, file.size() - place));
      entries.clear().limit((int) most);
      read(entries, place);
      start = place;
      end = place + most;
    }
    int from = (int) (place - start);
    long grain = table * geometry.tableEntries();
    for (int at = 0; at < bytes; at += Long.BYTES) {
      if (entries.getLong(from + at) != 0) {
        long i = at / Integer.BYTES;
        entry(grain + i, entries.getInt(from + at), visitor);
        entry(grain + i + 1, entries.getInt(from + at + Integer.BYTES), visitor);
      }
    }
  }

  private static void entry(long grain, int entry, Visitor visitor) throws IOException {
    if (entry != 0) {
      visitor.entry(grain, Integer.toUnsignedLong(entry));
    }
  }

  private void read(ByteBuffer bytes, long offset) throws IOException {
    try {
      file.readFully(bytes, offset);
    } catch (EOFException e) {
      throw new CorruptImageException(file.name() + ": a table at " + offset + " is cut off", e);
    }
    bytes.flip();
  }
}
