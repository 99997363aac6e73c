package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.Journal;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A log of one entry: a sector with the number of slices, their places and a checksum over all,
 * then the slices.
 *
 * <p>An entry stays valid until the next one is written over it: until then nothing changes in
 * place, so replaying it once more does no harm, and the checksum tells an entry that was written
 * in part.
 */
final class ToyLog implements Journal {
  private static final int CAPACITY = 8;
  private static final int SLICE = TableLayout.SLICE;
  private static final int HEAD = 512;
  private static final int COUNT = 8;
  private static final int PLACES = 16;

  /** Bytes of the log. */
  static final int BYTES = HEAD + CAPACITY * SLICE;

  private final HostFile file;
  private final long start;

  ToyLog(HostFile file, long start) {
    this.file = file;
    this.start = start;
  }

  @Override
  public int capacity() {
    return CAPACITY;
  }

  @Override
  public void record(List<Slice.Image> images) throws IOException {
    if (images.size() > CAPACITY) {
      throw new AssertionError(images.size() + " slices in an entry of " + CAPACITY);
    }
    ByteBuffer entry = ByteBuffer.allocate(HEAD + images.size() * SLICE);
    entry.putLong(COUNT, images.size());
    for (int i = 0; i < images.size(); i++) {
      entry.putLong(PLACES + 8 * i, images.get(i).position());
      entry.put(HEAD + SLICE * i, images.get(i).bytes(), 0, SLICE);
    }
    entry.putLong(0, checksum(entry));
    file.write(entry, start);
    file.flush();
  }

  @Override
  public void settled() {}

  /** Of everything but the checksum itself; never 0, so an empty log holds no entry. */
  private static long checksum(ByteBuffer entry) {
    CRC32C crc = new CRC32C();
    crc.update(entry.duplicate().position(COUNT));
    return crc.getValue() | 1L << 32;
  }

  /**
   * The file as it is with the last entry in place: brought there if it may be written, otherwise
   * by looking at the entry first.
   */
  HostFile replay(boolean writable) throws IOException {
    Map<Long, ByteBuffer> slices = read();
    if (!writable) {
      return new Overlaid(file, slices);
    }
    for (Map.Entry<Long, ByteBuffer> slice : slices.entrySet()) {
      file.write(slice.getValue().duplicate(), slice.getKey());
    }
    file.flush();
    return file;
  }

  /** The slices of the last entry by their places; none if it is not whole. */
  private Map<Long, ByteBuffer> read() throws IOException {
    ByteBuffer all = ByteBuffer.allocate(BYTES);
    file.readPadded(all, start);
    long count = all.getLong(COUNT);
    Map<Long, ByteBuffer> slices = new TreeMap<>();
    if (count < 1 || count > CAPACITY) {
      return slices;
    }
    ByteBuffer entry = all.slice(0, (int) (HEAD + count * SLICE));
    if (entry.getLong(0) != checksum(entry)) {
      return slices;
    }
    for (int i = 0; i < count; i++) {
      long place = entry.getLong(PLACES + 8 * i);
      if (place < start + BYTES || place % SLICE != 0 || place >= file.size()) {
        throw new CorruptImageException(file.name() + ": a log entry for offset " + place);
      }
      slices.put(place, entry.slice(HEAD + SLICE * i, SLICE));
    }
    return slices;
  }

  /** A file with other bytes in some places. */
  private static final class Overlaid extends ForwardingFile {
    private final HostFile below;
    private final List<Map.Entry<Long, ByteBuffer>> pieces;

    Overlaid(HostFile below, Map<Long, ByteBuffer> pieces) {
      super(below);
      this.below = below;
      this.pieces = new ArrayList<>(pieces.entrySet());
    }

    @Override
    public int read(ByteBuffer dst, long offset) throws IOException {
      int start = dst.position();
      int length = below.read(dst, offset);
      for (Map.Entry<Long, ByteBuffer> piece : pieces) {
        long from = Math.max(offset, piece.getKey());
        long to = Math.min(offset + length, piece.getKey() + SLICE);
        if (from < to) {
          dst.put(
              start + (int) (from - offset),
              piece.getValue(),
              (int) (from - piece.getKey()),
              (int) (to - from));
        }
      }
      return length;
    }
  }
}
