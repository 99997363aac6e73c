package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The snapshots of an image, one entry after the other, each at a multiple of 8 bytes.
 * Specification: "Snapshots". Immutable; the file is read once.
 */
final class SnapshotTable {
  /** Largest table, bytes: QEMU's limit. */
  static final long MAX_BYTES = 64L << 20;

  private static final int ALIGNMENT = 8;

  private final List<SnapshotEntry> entries;
  private final long bytes;
  private final long dropped;
  private final int shortened;

  private SnapshotTable(List<SnapshotEntry> entries, long bytes, long dropped, int shortened) {
    this.entries = List.copyOf(entries);
    this.bytes = bytes;
    this.dropped = dropped;
    this.shortened = shortened;
  }

  /** A table that is to be written. */
  static SnapshotTable of(List<SnapshotEntry> entries) {
    long bytes = 0;
    for (SnapshotEntry entry : entries) {
      bytes = aligned(bytes) + entry.encodedBytes();
    }
    return new SnapshotTable(entries, bytes, 0, 0);
  }

  /**
   * Reads the table that the header names.
   *
   * @throws CorruptImageException if it is not all there, or larger than its limits
   */
  static SnapshotTable read(HostFile file, Qcow2Header header) throws IOException {
    if (header.snapshots > Qcow2Header.MAX_SNAPSHOTS) {
      throw new CorruptImageException(
          file.name() + ": more than " + Qcow2Header.MAX_SNAPSHOTS + " snapshots");
    }
    return read(file, header.snapshotsOffset, header.snapshots, header.virtualSize, true);
  }

  /**
   * Reads what can be had of a table: {@link #dropped} says what was left out, {@link #shortened}
   * of what. Past the end of the file are entries of zeroes.
   *
   * @param offset checked by the caller
   */
  static SnapshotTable salvage(HostFile file, long offset, long count, long imageSize)
      throws IOException {
    return read(file, offset, count, imageSize, false);
  }

  private static SnapshotTable read(
      HostFile file, long offset, long count, long imageSize, boolean strict) throws IOException {
    SnapshotCursor cursor = new SnapshotCursor(file, offset, strict);
    List<SnapshotEntry> entries = new ArrayList<>();
    long kept = 0; // as the table would be with the entries' extra data at its limit
    long end = 0;
    long most = Math.min(count, Qcow2Header.MAX_SNAPSHOTS);
    for (int i = 0; i < most; i++) {
      cursor.begin(i);
      SnapshotEntry entry = SnapshotEntry.parse(cursor, imageSize);
      kept = aligned(kept) + entry.storedBytes();
      if (kept > MAX_BYTES || cursor.bytes() > Integer.MAX_VALUE) {
        if (strict) {
          throw new CorruptImageException(
              file.name()
                  + ": entry "
                  + i
                  + " of the snapshot table at "
                  + offset
                  + " is beyond its "
                  + MAX_BYTES
                  + " bytes");
        }
        break;
      }
      entries.add(entry);
      end = cursor.bytes();
    }
    return new SnapshotTable(entries, end, count - entries.size(), cursor.shortened());
  }

  List<SnapshotEntry> entries() {
    return entries;
  }

  /** Bytes of the table in the file, or of {@link #encode} for one that was not read from one. */
  long bytes() {
    return bytes;
  }

  /** Snapshots at the table's end that are beyond its limits. */
  long dropped() {
    return dropped;
  }

  /** Snapshots that have more extra data than was read. */
  int shortened() {
    return shortened;
  }

  /**
   * The bytes of the table, from position 0 on; complete entries, also where the file's were not.
   *
   * @param fileName for the message
   * @throws UnsupportedImageException if they are more than a table may have
   */
  ByteBuffer encode(String fileName) throws ImageException {
    long size = of(entries).bytes();
    if (size > MAX_BYTES || entries.size() > Qcow2Header.MAX_SNAPSHOTS) {
      throw new UnsupportedImageException(
          fileName
              + ": a table of "
              + entries.size()
              + " snapshots in "
              + size
              + " bytes is more than can be");
    }
    ByteBuffer table = ByteBuffer.allocate((int) size);
    for (SnapshotEntry entry : entries) {
      table.position((int) aligned(table.position()));
      entry.encode(table);
    }
    return table.flip();
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
