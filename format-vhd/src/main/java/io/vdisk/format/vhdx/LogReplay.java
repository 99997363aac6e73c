package io.vdisk.format.vhdx;

import com.google.common.collect.Range;
import com.google.common.collect.RangeMap;
import com.google.common.collect.TreeRangeMap;
import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * What the log would change: shown over the file by {@link #view}, or written into it by {@link
 * #apply}. Nothing is written before everything was looked at.
 */
final class LogReplay {
  /** Most updates that are kept in memory: a log of 256 MiB has no more. */
  private static final int MAX_UPDATES = 65_536;

  /** Most bytes that zero descriptors may clear: the largest table twice, and bitmaps. */
  private static final long MAX_ZEROED = 4L << 30;

  private static final int STEP = 1 << 20;

  private final HostFile file;
  private final long start;
  private final long length;

  /** By their places in the file. */
  private final RangeMap<Long, Patch> patches = TreeRangeMap.create();

  /** Bytes that the file is to have; 0: as many as it has. */
  private final long last;

  private int updates;
  private long zeroed;

  /**
   * What belongs at a place.
   *
   * @param offset where its first byte goes
   * @param source where in the log's file the data sector lies; negative: zeroes
   * @param leading its first eight bytes
   * @param trailing its last four bytes
   */
  private record Patch(long offset, long source, long leading, long trailing) {}

  /** Looks at the log that the current header names. */
  LogReplay(HostFile file, VhdxHeader header) throws IOException {
    this.file = file;
    this.start = header.logOffset();
    this.length = header.logLength();
    List<LogScan.Entry> entries = LogScan.active(file, header);
    long size = file.size();
    if (entries.isEmpty()) {
      last = 0;
      return;
    }
    LogScan.Entry head = entries.get(entries.size() - 1);
    if (head.flushed() < 0 || size < head.flushed()) {
      throw new CorruptImageException(
          file.name() + ": the log knows " + head.flushed() + " bytes, the file has " + size);
    }
    if (head.last() < 0 || head.last() > FileRanges.MAX_FILE) {
      throw new CorruptImageException(
          file.name() + ": the log wants a file of " + Long.toUnsignedString(head.last()));
    }
    last = Math.max(size, head.last());
    for (LogScan.Entry entry : entries) {
      add(entry);
    }
  }

  private LogReplay(HostFile file) {
    this.file = file;
    this.start = 0;
    this.length = 0;
    this.last = 0;
  }

  /** Nothing to do: for who has given a log up. */
  static LogReplay none(HostFile file) {
    return new LogReplay(file);
  }

  private void add(LogScan.Entry entry) throws IOException {
    long heads = LogEntry.descriptorSectors(entry.descriptors());
    ByteBuffer sector = ByteBuffer.allocate(LogEntry.SECTOR);
    long data = heads;
    int seen = 0;
    for (long i = 0; i < heads; i++) {
      file.readFully(sector.clear(), place(entry.position() + i * LogEntry.SECTOR));
      int from = i == 0 ? LogEntry.HEADER.size() : 0;
      for (int at = from; at < LogEntry.SECTOR && seen < entry.descriptors(); at += 32) {
        seen++;
        long offset = LogEntry.DATA_FILE_OFFSET.get(sector, at);
        if (LogEntry.DATA_SIGNATURE.get(sector, at) == LogEntry.DATA_DESCRIPTOR) {
          put(
              LogEntry.SECTOR,
              new Patch(
                  offset,
                  place(entry.position() + data++ * LogEntry.SECTOR),
                  LogEntry.LEADING_BYTES.get(sector, at),
                  LogEntry.TRAILING_BYTES.get(sector, at)));
        } else {
          zeroed += addZeroes(offset, LogEntry.ZERO_LENGTH.get(sector, at));
        }
      }
    }
  }

  private long place(long position) {
    return start + position % length;
  }

  private long addZeroes(long offset, long bytes) throws IOException {
    if (bytes <= 0 || bytes > MAX_ZEROED - zeroed) {
      throw new UnsupportedImageException(
          file.name() + ": the log clears " + Long.toUnsignedString(bytes) + " bytes");
    }
    put(bytes, new Patch(offset, -1, 0, 0));
    return bytes;
  }

  private void put(long bytes, Patch patch) throws IOException {
    long offset = patch.offset();
    boolean isPossible =
        offset >= RegionTable.FIRST
            && offset % LogEntry.SECTOR == 0
            && bytes % LogEntry.SECTOR == 0
            && offset <= last - bytes
            && (offset >= start + length || offset + bytes <= start);
    if (!isPossible) {
      throw new CorruptImageException(
          file.name()
              + ": the log has an update for offset "
              + Long.toUnsignedString(offset)
              + ", where none can be");
    }
    if (++updates > MAX_UPDATES) {
      throw new UnsupportedImageException(
          file.name() + ": the log has more than " + MAX_UPDATES + " updates");
    }
    patches.put(Range.closedOpen(offset, offset + bytes), patch);
  }

  /** Whether there is nothing to do. */
  boolean isEmpty() {
    return updates == 0 && last == 0;
  }

  /** Bytes that the file is to have. */
  long fileSize() throws IOException {
    return Math.max(last, file.size());
  }

  /** The file as it is when the log was replayed; nothing is written. */
  HostFile view() {
    return isEmpty() ? file : new View();
  }

  /** Writes everything to its place, and makes it durable. */
  void apply() throws IOException {
    if (file.size() < last) {
      file.resize(last);
    }
    for (Map.Entry<Range<Long>, Patch> entry : patches.asMapOfRanges().entrySet()) {
      long from = entry.getKey().lowerEndpoint();
      long to = entry.getKey().upperEndpoint();
      if (entry.getValue().source() < 0 && file.zero(from, to - from, false)) {
        continue;
      }
      for (long at = from; at < to; at += STEP) {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(STEP, to - at));
        copy(entry.getValue(), bytes, at);
        file.write(bytes.flip(), at);
      }
    }
    file.flush();
  }

  /** Fills {@code bytes} with what a patch has from {@code at} on. */
  private void copy(Patch patch, ByteBuffer bytes, long at) throws IOException {
    if (patch.source() < 0) {
      Zeroes.fill(bytes);
      return;
    }
    ByteBuffer sector = ByteBuffer.allocate(LogEntry.SECTOR);
    file.readFully(sector, patch.source());
    LogEntry.restore(sector, patch.leading(), patch.trailing());
    int from = (int) (at - patch.offset());
    bytes.put(sector.limit(from + bytes.remaining()).position(from));
  }

  /** A file with other bytes in some places. */
  private final class View extends ForwardingFile {
    View() {
      super(file);
    }

    @Override
    public long size() throws IOException {
      return fileSize();
    }

    @Override
    public int read(ByteBuffer dst, long offset) throws IOException {
      int length = (int) Math.max(0, Math.min(dst.remaining(), size() - offset));
      int from = dst.position();
      int limit = dst.limit();
      file.readPadded(dst.limit(from + length), offset);
      if (length > 0) {
        Range<Long> range = Range.closedOpen(offset, offset + length);
        for (Map.Entry<Range<Long>, Patch> entry :
            patches.subRangeMap(range).asMapOfRanges().entrySet()) {
          long at = entry.getKey().lowerEndpoint();
          int to = from + (int) (entry.getKey().upperEndpoint() - offset);
          copy(entry.getValue(), dst.limit(to).position(from + (int) (at - offset)), at);
        }
      }
      dst.limit(limit).position(from + length);
      return length;
    }
  }
}
