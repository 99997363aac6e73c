package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the active sequence of a log: of all runs of valid entries with rising numbers that hold
 * the tail of their last entry, the one that ends with the greatest number. Source: [MS-VHDX]
 * 2.3.3. Reads only; what it reads is bounded, whatever the log claims.
 */
final class LogScan {
  /** Bytes read at a time. */
  private static final int STEP = 256 << 10;

  /** The longest log that is replayed; Windows and QEMU make 1 MiB. */
  static final long MAX_LOG = 256 << 20;

  /** How often the log may be read through before it is called endless. */
  private static final long PASSES = 8;

  private final HostFile file;
  private final long start;
  private final long length;
  private final Guid guid;

  /** Bytes that may still be read. */
  private long budget;

  /** Whether there was an entry with the log's GUID that is not whole. */
  private boolean torn;

  /**
   * An entry.
   *
   * @param position where in the log
   * @param length bytes
   * @param sequence its number
   * @param tail where the oldest entry begins that is not in place yet
   * @param descriptors how many
   * @param flushed bytes that the file must have
   * @param last bytes that it is to have
   */
  record Entry(
      long position,
      long length,
      long sequence,
      long tail,
      int descriptors,
      long flushed,
      long last) {}

  private LogScan(HostFile file, VhdxHeader header) {
    this.file = file;
    this.start = header.logOffset();
    this.length = header.logLength();
    this.guid = header.logGuid();
    this.budget = PASSES * length;
  }

  /**
   * The entries to replay, in order; empty if the log was named before it had any entry.
   *
   * @throws CorruptImageException if it has entries, and none that is whole
   */
  static List<Entry> active(HostFile file, VhdxHeader header) throws IOException {
    if (header.logGuid().isNil() || header.logLength() == 0) {
      return List.of();
    }
    if (header.logLength() > MAX_LOG) {
      throw new UnsupportedImageException(
          file.name() + ": a log of " + header.logLength() + " bytes is not replayed");
    }
    LogScan scan = new LogScan(file, header);
    List<Entry> found = scan.search();
    if (found.isEmpty() && scan.torn) {
      throw new CorruptImageException(
          file.name() + ": the log at " + header.logOffset() + " has no entry that is whole");
    }
    return found;
  }

  private List<Entry> search() throws IOException {
    List<Entry> candidate = List.of();
    long tail = 0;
    while (tail < length) {
      List<Entry> sequence = sequence(tail);
      List<Entry> valid = sinceTail(sequence);
      if (!valid.isEmpty() && (candidate.isEmpty() || number(valid) > number(candidate))) {
        candidate = valid;
      }
      if (valid.isEmpty()) {
        tail += LogEntry.SECTOR;
      } else {
        Entry head = sequence.get(sequence.size() - 1);
        long next = (head.position() + head.length()) % length;
        tail = next > tail ? next : length;
      }
    }
    return candidate;
  }

  private static long number(List<Entry> sequence) {
    return sequence.get(sequence.size() - 1).sequence();
  }

  /** The run of valid entries that begins at a position. */
  private List<Entry> sequence(long first) throws IOException {
    List<Entry> entries = new ArrayList<>();
    long position = first;
    long bytes = 0;
    while (true) {
      Optional<Entry> entry = entry(position);
      if (entry.isEmpty()
          || bytes + entry.get().length() > length
          || (!entries.isEmpty() && entry.get().sequence() != number(entries) + 1)) {
        return entries;
      }
      entries.add(entry.get());
      bytes += entry.get().length();
      position = (position + entry.get().length()) % length;
    }
  }

  /** The entries from the last one's tail on; empty if the tail is not among them. */
  private static List<Entry> sinceTail(List<Entry> sequence) {
    for (int i = 0; i < sequence.size(); i++) {
      if (sequence.get(i).position() == sequence.get(sequence.size() - 1).tail()) {
        return sequence.subList(i, sequence.size());
      }
    }
    return List.of();
  }

  /** The entry at a position, if it is whole. */
  private Optional<Entry> entry(long position) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(LogEntry.SECTOR);
    read(head, position);
    long bytes = LogEntry.ENTRY_LENGTH.get(head, 0);
    long tail = LogEntry.TAIL.get(head, 0);
    long sequence = LogEntry.SEQUENCE_NUMBER.get(head, 0);
    long descriptors = LogEntry.DESCRIPTOR_COUNT.get(head, 0);
    if (LogEntry.SIGNATURE.get(head, 0) != LogEntry.ENTRY_SIGNATURE
        || !Guid.of(LogEntry.LOG_GUID.get(head, 0)).equals(guid)) {
      return Optional.empty();
    }
    boolean isPossible =
        bytes > 0
            && bytes % LogEntry.SECTOR == 0
            && bytes <= length
            && tail % LogEntry.SECTOR == 0
            && tail < length
            && sequence > 0
            && LogEntry.descriptorSectors(descriptors) * LogEntry.SECTOR <= bytes;
    if (!isPossible || !isWhole(position, bytes, sequence, (int) descriptors, head)) {
      torn = true;
      return Optional.empty();
    }
    return Optional.of(
        new Entry(
            position,
            bytes,
            sequence,
            tail,
            (int) descriptors,
            LogEntry.FLUSHED_FILE_OFFSET.get(head, 0),
            LogEntry.LAST_FILE_OFFSET.get(head, 0)));
  }

  /** Whether checksum, descriptors and data sectors are those of one entry. */
  private boolean isWhole(
      long position, long bytes, long sequence, int descriptors, ByteBuffer head)
      throws IOException {
    Crc crc = new Crc();
    crc.begin(head, LogEntry.CHECKSUM);
    Parts parts = new Parts(sequence, descriptors, bytes / LogEntry.SECTOR);
    parts.look(head, 0);
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(STEP, bytes));
    for (long at = LogEntry.SECTOR; at < bytes; at += piece.limit()) {
      long place = (position + at) % length;
      piece.clear().limit((int) Math.min(Math.min(bytes - at, length - place), STEP));
      read(piece, place);
      crc.add(piece);
      for (int sector = 0; sector < piece.limit(); sector += LogEntry.SECTOR) {
        parts.look(piece.slice(sector, LogEntry.SECTOR), (at + sector) / LogEntry.SECTOR);
      }
      if (!parts.fit) {
        return false;
      }
    }
    return parts.fit
        && parts.data == parts.expected
        && crc.value() == LogEntry.CHECKSUM.get(head, 0);
  }

  /** Looks at the sectors of an entry one after another. */
  private static final class Parts {
    private final long sequence;
    private final int descriptors;
    private final long heads;
    private int seen;

    /** Data descriptors, and data sectors. */
    private int expected;

    private int data;
    private boolean fit = true;

    Parts(long sequence, int descriptors, long sectors) {
      this.sequence = sequence;
      this.descriptors = descriptors;
      this.heads = LogEntry.descriptorSectors(descriptors);
      assert heads <= sectors;
    }

    void look(ByteBuffer sector, long index) {
      if (index < heads) {
        int from = index == 0 ? LogEntry.HEADER.size() : 0;
        for (int at = from; at < LogEntry.SECTOR && seen < descriptors; at += 32) {
          long signature = LogEntry.DATA_SIGNATURE.get(sector, at);
          fit &= LogEntry.DATA_SEQUENCE.get(sector, at) == sequence;
          fit &= signature == LogEntry.DATA_DESCRIPTOR || signature == LogEntry.ZERO_DESCRIPTOR;
          expected += signature == LogEntry.DATA_DESCRIPTOR ? 1 : 0;
          seen++;
        }
      } else if (data < expected) {
        fit &= LogEntry.isDataSector(sector, 0, sequence);
        data++;
      }
    }
  }

  /** Reads a part of the log that does not wrap. */
  private void read(ByteBuffer bytes, long position) throws IOException {
    budget -= bytes.remaining();
    if (budget < 0) {
      throw new CorruptImageException(
          file.name() + ": the log at " + start + " has entries without end");
    }
    file.readPadded(bytes, start + position);
    bytes.flip();
  }
}
