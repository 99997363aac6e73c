package io.vdisk.format.vmdk;

import io.vdisk.CreateOptions;
import io.vdisk.SequentialTarget;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stream-optimized image on its way out: header and descriptor, compressed grains, each table
 * behind its grains, then the grain directory, the footer and the end. Every marker lies at a
 * sector. Source: Virtual Disk Format 5.0, "Stream-Optimized Compressed Sparse Extents". One
 * thread, which others help to compress.
 */
final class StreamWriter implements SequentialTarget {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** What the extent is called where nobody says the file's name. */
  private static final String NAME = "disk.vmdk";

  private final OutputStream out;
  private final long size;
  private final int grainSize;
  private final SparseHeader header;
  private final StreamTables tables;
  private final GrainPress press;

  /** Sectors written. */
  private long position;

  /** The grain that is being filled; null: none was begun. */
  private GrainPress.@Nullable Job current;

  /** Where the last write ended. */
  private long end;

  /**
   * Begins an image.
   *
   * @param threads that compress
   * @throws IllegalArgumentException if the options are not what they may be, or have no size
   */
  StreamWriter(OutputStream out, CreateOptions options, int threads) throws IOException {
    VmdkOptions said = new VmdkOptions(options);
    if (said.subformat != Subformat.STREAM_OPTIMIZED) {
      throw new UnsupportedImageException(
          "a vmdk is written as a stream with subformat=streamOptimized alone");
    }
    long wanted =
        options.virtualSize().filter(bytes -> bytes > 0).orElseThrow(StreamWriter::noSize);
    options.limits().checkVirtualSize(wanted, NAME);
    this.out = out;
    this.size = said.size(wanted, NAME);
    this.grainSize = (int) said.grainSize;
    ExtentLine line =
        new ExtentLine(
            ExtentAccess.RW,
            size / SECTOR,
            said.subformat.extents(),
            options.fileName().filter(name -> !name.contains("\"")).orElse(NAME),
            0);
    byte[] text = VmdkCreator.descriptor(said, size, List.of(line), NAME).bytes();
    int descriptorSectors = SparseCreator.descriptorSectors(text.length);
    long grainSectors = grainSize / SECTOR;
    long overhead = (1 + descriptorSectors + grainSectors - 1) / grainSectors * grainSectors;
    this.header =
        new SparseHeader(
            SparseHeader.VERSION_STREAM,
            SparseHeader.NEWLINES | SparseHeader.COMPRESSED | SparseHeader.MARKERS,
            size / SECTOR,
            grainSectors,
            1,
            descriptorSectors,
            SparseHeader.TABLE_ENTRIES,
            0,
            SparseHeader.AT_END,
            overhead,
            false,
            SparseHeader.NEWLINE_BYTES,
            SparseHeader.DEFLATE);
    this.tables = new StreamTables(size, grainSize);
    options.limits().checkTable("grain directory", tables.directoryBytes(), NAME);
    write(header.encode().array());
    write(text);
    pad(text.length);
    write(new byte[(int) (overhead - position) * SECTOR]);
    this.press = new GrainPress(grainSize, threads);
  }

  private static IllegalArgumentException noSize() {
    return new IllegalArgumentException("a stream-optimized vmdk needs a size before it begins");
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    if (offset < end || src.remaining() > size - offset) {
      throw new IllegalArgumentException(
          src.remaining() + " bytes at " + offset + " of " + size + ", after " + end);
    }
    long at = offset;
    while (src.hasRemaining()) {
      long grain = at / grainSize;
      GrainPress.Job job = current;
      if (job != null && job.grain() != grain) {
        hand(job);
        job = null;
      }
      if (job == null) {
        job = press.begin(grain);
        current = job;
      }
      int within = (int) (at % grainSize);
      int length = Math.min(src.remaining(), grainSize - within);
      src.get(job.bytes(), within, length);
      at += length;
    }
    end = at;
  }

  /** Gives a grain to who compresses, unless it is zero, and writes what is ready. */
  private void hand(GrainPress.Job job) throws IOException {
    if (Zeroes.only(ByteBuffer.wrap(job.bytes()))) {
      press.giveBack(job);
      return;
    }
    press.submit(job);
    while (press.isFull()) {
      writeGrain(press.take());
    }
  }

  private void writeGrain(GrainPress.Job job) throws IOException {
    if (!tables.isInTable(job.grain())) {
      writeTable();
    }
    tables.set(job.grain(), position);
    ByteBuffer marker = ByteBuffer.allocate(Marker.STRUCT.size());
    Marker.VALUE.put(marker, 0, job.grain() * (grainSize / SECTOR));
    Marker.SIZE.put(marker, 0, job.length());
    write(marker.array(), Marker.GRAIN_BYTES);
    write(job.compressed(), job.length());
    int length = Marker.GRAIN_BYTES + job.length();
    pad(length);
    position += (length + SECTOR - 1) / SECTOR;
    press.giveBack(job);
  }

  private void writeTable() throws IOException {
    byte[] table = tables.takeTable(position + 1);
    if (table.length > 0) {
      writeMarked(Marker.GRAIN_TABLE, table);
    }
  }

  /** Writes whole sectors behind the marker that tells what they are. */
  private void writeMarked(int type, byte[] sectors) throws IOException {
    write(Marker.sector(type, sectors.length / SECTOR).array(), SECTOR);
    write(sectors, sectors.length);
    position += 1 + sectors.length / SECTOR;
  }

  @Override
  public void finish() throws IOException {
    if (current != null) {
      hand(current);
      current = null;
    }
    while (!press.isEmpty()) {
      writeGrain(press.take());
    }
    writeTable();
    long directory = position + 1;
    writeMarked(Marker.GRAIN_DIRECTORY, tables.directory());
    writeMarked(Marker.FOOTER, header.withDirectory(directory).encode().array());
    write(Marker.sector(Marker.END_OF_STREAM, 0).array(), SECTOR);
    out.flush();
  }

  /** Whole sectors, but for the first time of the descriptor. */
  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    position += (bytes.length + SECTOR - 1) / SECTOR;
  }

  private void write(byte[] bytes, int length) throws IOException {
    out.write(bytes, 0, length);
  }

  /** Zeroes up to the next sector. */
  private void pad(int length) throws IOException {
    out.write(new byte[-length & (SECTOR - 1)]);
  }

  /** Ends those that compress; without {@link #finish} before it, what was written is no image. */
  @Override
  public void close() throws IOException {
    try (out) {
      press.close();
    }
  }
}
