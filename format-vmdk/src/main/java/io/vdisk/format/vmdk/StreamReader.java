package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.OpenOptions;
import io.vdisk.Piece;
import io.vdisk.SequentialSource;
import io.vdisk.UnsupportedImageException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stream-optimized image as it arrives: its markers say where each grain belongs, so that no
 * table is needed. Takes a few sectors more than one grain. One thread.
 */
final class StreamReader implements SequentialSource {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** Sectors of one table at most: a grain directory of the largest disk. */
  private static final long MAX_TABLE_SECTORS = (128L << 20) / SECTOR;

  private final InputStream in;
  private final String name;
  private final SparseHeader header;
  private final int grainSize;
  private final GrainCodec codec = new GrainCodec();
  private final ImageInfo info;

  /** Bytes read. */
  private long position;

  /** The first byte on the disk of the grain that was read ahead; negative: none. */
  private long next = -1;

  private byte[] compressed = new byte[0];
  private int compressedLength;
  private long nextPosition;

  /** Where the last grain ended. */
  private long end;

  private boolean over;

  /** The last sector at which a grain is said to be; 0 where nothing says so before it comes. */
  private long lastNamed;

  /** Where the last grain began, in sectors. */
  private long lastCame;

  /** Reads header and descriptor. */
  StreamReader(InputStream in, String name, OpenOptions options) throws IOException {
    this.in = in;
    this.name = name;
    ByteBuffer first = read(SECTOR);
    if (!SparseHeader.isThere(first)) {
      throw new UnsupportedImageException(
          name + ": what comes is no stream-optimized vmdk, which alone can be read in one pass");
    }
    this.header = SparseHeader.decode(first, name);
    if (!header.isCompressed() || !header.is(SparseHeader.MARKERS)) {
      throw new UnsupportedImageException(
          name + ": a sparse vmdk that is not stream-optimized cannot be read in one pass");
    }
    this.grainSize = (int) header.grainSectors() * SECTOR;
    long size = header.capacity() * SECTOR;
    options.limits().checkVirtualSize(size, name);
    readDescriptor();
    this.info =
        ImageInfo.builder(VmdkFormat.NAME, size, grainSize)
            .detail("create-type", Subformat.STREAM_OPTIMIZED.word())
            .build();
  }

  /** What comes before the first grain: the descriptor, and filling. */
  private void readDescriptor() throws IOException {
    long sectors = header.descriptorSectors();
    boolean isThere = header.descriptorOffset() > 0 && sectors > 0;
    long first = header.descriptorOffset() * SECTOR;
    if (isThere) {
      if (header.descriptorOffset() > header.overhead()
          || sectors > Descriptor.MAX_BYTES / SECTOR
          || first + sectors * SECTOR > header.overhead() * SECTOR) {
        throw new CorruptImageException(
            name + ": descriptorOffset and descriptorSize are beyond what is before the grains");
      }
      skip(first - position);
      byte[] text = new byte[(int) sectors * SECTOR];
      readInto(text, 0, text.length);
      Descriptor descriptor = Descriptor.parse(text, name);
      if (descriptor.parentCid() != Descriptor.NO_PARENT) {
        throw new UnsupportedImageException(
            name + ": it lies over another image, and cannot be read in one pass");
      }
    }
    if (header.overhead() < 1 || header.overhead() > MAX_TABLE_SECTORS) {
      throw new CorruptImageException(name + ": overHead " + header.overhead() + " cannot be");
    }
    if (header.directory() == SparseHeader.AT_END) {
      skip(header.overhead() * SECTOR - position);
    } else {
      lookAtTables();
    }
  }

  /**
   * Tables before the grains, as QEMU writes them, which then writes no marker of the end: what is
   * named last must have come. Of all words there only those of grain tables name a place behind.
   */
  private void lookAtTables() throws IOException {
    byte[] sector = new byte[SECTOR];
    ByteBuffer words = ByteBuffer.wrap(sector).order(ByteOrder.LITTLE_ENDIAN);
    while (position < header.overhead() * SECTOR) {
      readInto(sector, 0, SECTOR);
      for (int at = 0; at < SECTOR; at += Integer.BYTES) {
        long named = Integer.toUnsignedLong(words.getInt(at));
        lastNamed = Math.max(lastNamed, named >= header.overhead() ? named : 0);
      }
    }
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  /** Grains that follow each other, as many as have room. */
  @Override
  public boolean next(Piece into) throws IOException {
    ByteBuffer buffer = into.buffer().clear();
    if (buffer.capacity() < grainSize) {
      throw new IllegalArgumentException(
          "a piece of " + buffer.capacity() + " bytes for grains of " + grainSize);
    }
    while (readAhead()) {
      if (buffer.position() == 0) {
        into.moveTo(next);
      }
      boolean isNext = next == into.offset() + buffer.position();
      if (!isNext || buffer.remaining() < grainSize) {
        break;
      }
      int least = (int) Math.min(grainSize, info.virtualSize() - next);
      buffer.limit(buffer.position() + grainSize);
      ByteBuffer bytes = ByteBuffer.wrap(compressed, 0, compressedLength);
      codec.inflate(bytes, buffer, least, name, nextPosition);
      buffer.limit(buffer.capacity());
      next = -1;
    }
    buffer.flip();
    long left = info.virtualSize() - into.offset();
    if (buffer.remaining() > left) {
      buffer.limit((int) left);
    }
    return buffer.hasRemaining();
  }

  /** Sees that the next grain was read; false at the end. */
  private boolean readAhead() throws IOException {
    while (next < 0 && !over) {
      long at = position;
      ByteBuffer marker = readMarker();
      if (!marker.hasRemaining()) {
        over = true;
        break;
      }
      long size = Marker.SIZE.get(marker, 0);
      long value = Marker.VALUE.get(marker, 0);
      if (size > 0) {
        readGrain(marker, at, size, value);
      } else if (Marker.TYPE.get(marker, 0) == Marker.END_OF_STREAM) {
        over = true;
        readFilling();
      } else {
        if (value < 0 || value > MAX_TABLE_SECTORS) {
          throw new CorruptImageException(
              name
                  + ": the marker at "
                  + at
                  + " says "
                  + Long.toUnsignedString(value)
                  + " sectors");
        }
        skip(value * SECTOR);
      }
    }
    return next >= 0;
  }

  /** A sector; empty where tables came first, all that they name has come, and nothing follows. */
  private ByteBuffer readMarker() throws IOException {
    byte[] marker = new byte[SECTOR];
    int count = in.readNBytes(marker, 0, SECTOR);
    position += count;
    boolean isEnd = header.directory() != SparseHeader.AT_END && lastCame >= lastNamed;
    if (count < SECTOR && !(count == 0 && isEnd)) {
      throw cutOff();
    }
    return ByteBuffer.wrap(marker, 0, count);
  }

  /** Reads what follows the marker of the end: zeroes that fill a record of an archive. */
  private void readFilling() throws IOException {
    byte[] filling = new byte[8 * SECTOR];
    for (int count; (count = in.readNBytes(filling, 0, filling.length)) > 0; position += count) {
      Footer.checkFilling(ByteBuffer.wrap(filling, 0, count), name, position);
    }
  }

  private CorruptImageException cutOff() {
    return new CorruptImageException(name + ": it ends at " + position + ", before what must come");
  }

  private void readGrain(ByteBuffer marker, long at, long size, long sector) throws IOException {
    if (size > GrainCodec.mostBytes(grainSize)) {
      throw new CorruptImageException(
          name + ": the marker at " + at + " says " + size + " bytes of grain");
    }
    boolean isPlace =
        sector >= 0 && sector < header.capacity() && sector % header.grainSectors() == 0;
    if (!isPlace) {
      throw new CorruptImageException(
          name + ": the marker at " + at + " is of sector " + Long.toUnsignedString(sector));
    }
    if (sector * SECTOR < end) {
      throw new UnsupportedImageException(
          name + ": its grains are not in the order of the disk; save it in a file first");
    }
    if (compressed.length < size) {
      compressed = new byte[GrainCodec.mostBytes(grainSize)];
    }
    compressedLength = (int) size;
    int here = Math.min(compressedLength, SECTOR - Marker.GRAIN_BYTES);
    ByteBuffer unused = marker.get(Marker.GRAIN_BYTES, compressed, 0, here);
    readInto(compressed, here, compressedLength - here);
    long whole = (Marker.GRAIN_BYTES + size + SECTOR - 1) & -SECTOR;
    skip(whole - SECTOR - (compressedLength - here));
    next = sector * SECTOR;
    nextPosition = at;
    lastCame = at / SECTOR;
    end = next + grainSize;
  }

  private ByteBuffer read(int bytes) throws IOException {
    byte[] read = new byte[bytes];
    readInto(read, 0, bytes);
    return ByteBuffer.wrap(read);
  }

  private void readInto(byte[] bytes, int offset, int length) throws IOException {
    int count = in.readNBytes(bytes, offset, length);
    position += count;
    if (count < length) {
      throw cutOff();
    }
  }

  private void skip(long bytes) throws IOException {
    try {
      in.skipNBytes(bytes);
      position += bytes;
    } catch (EOFException e) {
      throw new CorruptImageException(
          name + ": it ends after " + position + ", before what must come", e);
    }
  }

  @Override
  public void close() throws IOException {
    try (in) {
      codec.close();
    }
  }
}
