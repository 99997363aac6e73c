package io.vdisk.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * A range of another host file as a file of its own: a flat extent, an image inside a partition. It
 * begins at 0 and cannot grow past its length. Closing it leaves the other file open, which stays
 * its owner's.
 */
public final class FileSlice extends ForwardingFile {
  private final long start;
  private final long length;

  /**
   * The {@code length} bytes of {@code file} from {@code start} on.
   *
   * @throws IllegalArgumentException if one is negative, or their sum is past 2^63-1
   */
  public FileSlice(HostFile file, long start, long length) {
    super(file);
    Ranges.check(start, length);
    if (start > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException("start " + start + ", length " + length);
    }
    this.start = start;
    this.length = length;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    Ranges.checkOffset(offset);
    int wanted = (int) Math.max(0, Math.min(dst.remaining(), length - offset));
    int limit = dst.limit();
    dst.limit(dst.position() + wanted);
    try {
      return file().read(dst, start + Math.min(offset, length));
    } finally {
      dst.limit(limit);
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    Ranges.checkOffset(offset);
    checkFits(offset, src.remaining());
    file().write(src, start + offset);
  }

  /** Bytes of the slice that the other file has; those past its end can be written. */
  @Override
  public long size() throws IOException {
    return Math.max(0, Math.min(length, file().size() - start));
  }

  @Override
  public long capacity() throws IOException {
    return Math.max(0, Math.min(length, file().capacity() - start));
  }

  /** Only within the range, and only where nothing follows in the other file. */
  @Override
  public void resize(long size) throws IOException {
    Ranges.checkLength(size);
    if (size == size()) {
      return;
    }
    if (size > length || file().size() > start + length) {
      throw new IOException(name() + ": a slice of " + length + " bytes, its size is fixed");
    }
    file().resize(start + size);
  }

  @Override
  public String name() {
    return file().name() + "[" + start + "+" + length + "]";
  }

  /** Slices of one file are that file. */
  @Override
  public Object key() {
    return file().key();
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    Ranges.check(offset, length);
    long within = Math.max(0, Math.min(length, this.length - offset));
    return within == 0 || file().zero(start + offset, within, keepSpace);
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    Ranges.check(offset, length);
    checkFits(offset, length);
    return file().allocate(start + offset, length);
  }

  @Override
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    Ranges.check(sourceOffset, length);
    Ranges.check(offset, length);
    checkFits(offset, length);
    return file().share(source, sourceOffset, start + offset, length);
  }

  private void checkFits(long offset, long length) throws IOException {
    if (length > this.length - offset) {
      throw new IOException(
          name() + ": " + length + " bytes at " + offset + " do not fit in " + this.length);
    }
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    Ranges.checkLimit(offset, limit);
    if (offset >= length) {
      return limit > Long.MAX_VALUE - offset ? -Long.MAX_VALUE : -(offset + limit);
    }
    long within = file().dataEnd(start + offset, Math.min(limit, length - offset));
    return within > 0 ? within - start : within + start;
  }

  @Override
  public void advise(Advice advice, long offset, long length) throws IOException {
    Ranges.check(offset, length);
    long within = Math.max(0, Math.min(length, this.length - offset));
    if (within > 0) {
      file().advise(advice, start + offset, within);
    }
  }

  /** Nobody counts a part of a file. */
  @Override
  public OptionalLong allocatedSize() {
    return OptionalLong.empty();
  }

  /** Leaves the other file open. */
  @Override
  public void close() {}
}
