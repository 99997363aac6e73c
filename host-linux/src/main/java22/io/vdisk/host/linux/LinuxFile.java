package io.vdisk.host.linux;

import io.vdisk.file.Advice;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.OptionalLong;

/** A file by the system calls of Linux. */
final class LinuxFile implements NativeFile {
  // Source: linux/falloc.h.
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int ZERO_RANGE = 0x10;

  // Source: linux/fadvise.h.
  private static final int FADV_SEQUENTIAL = 2;
  private static final int FADV_DONTNEED = 4;

  // Source: linux/fs.h.
  private static final int SYNC_FILE_RANGE_WRITE = 2;

  /** Bytes that are known to have been data. To call them data stays right, whatever happens. */
  private record Data(long start, long end) {
    static final Data NONE = new Data(-1, -1);

    boolean holds(long offset) {
      return offset >= start && offset < end;
    }
  }

  private final Descriptor descriptor;
  private final int alignment;
  private final Ability holes = new Ability();
  private final Ability punching = new Ability();
  private final Ability zeroing = new Ability();
  private final Ability allocating = new Ability();
  private final Ability sharing = new Ability();
  private volatile Data data = Data.NONE;

  LinuxFile(Descriptor descriptor, int alignment) {
    this.descriptor = descriptor;
    this.alignment = alignment;
  }

  @Override
  public int alignment() {
    return alignment;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    if (dst.isReadOnly()) {
      throw new IllegalArgumentException("a buffer that is only read");
    }
    return moved(SystemCall.PREAD64, dst, offset);
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    return moved(SystemCall.PWRITE64, src, offset);
  }

  private int moved(SystemCall how, ByteBuffer buffer, long offset) throws IOException {
    int position = buffer.position();
    MemorySegment memory = MemorySegment.ofBuffer(buffer);
    int count = (int) Errno.check(descriptor.call(how, memory, memory.byteSize(), offset, 0));
    buffer.position(position + count);
    return count;
  }

  /** Where its end is: the same call for files and devices. Nobody uses the position it sets. */
  @Override
  public long size() throws IOException {
    return Errno.check(seek(0, Whence.END));
  }

  @Override
  public void resize(long size) throws IOException {
    Errno.check(descriptor.call(SystemCall.FTRUNCATE, size, 0, 0));
    data = Data.NONE;
  }

  @Override
  public void flush() throws IOException {
    Errno.check(descriptor.call(SystemCall.FDATASYNC, 0, 0, 0));
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    Ability ability = keepSpace ? zeroing : punching;
    if (ability.isMissing()) {
      return false;
    }
    long within = Math.min(length, size() - offset);
    if (within <= 0) {
      return true;
    }
    int mode = KEEP_SIZE | (keepSpace ? ZERO_RANGE : PUNCH_HOLE);
    boolean done = ability.did(descriptor.call(SystemCall.FALLOCATE, mode, offset, within));
    if (done) {
      data = Data.NONE;
    }
    return done;
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    return !allocating.isMissing()
        && allocating.did(descriptor.call(SystemCall.FALLOCATE, 0, offset, length));
  }

  /** Where the file system shares blocks, whole ones: XFS and btrfs do, ext4 does not. */
  @Override
  public boolean share(NativeFile source, long sourceOffset, long offset, long length)
      throws IOException {
    return source instanceof LinuxFile other
        && !sharing.isMissing()
        && sharing.did(descriptor.cloneRange(other.descriptor, sourceOffset, offset, length));
  }

  /**
   * One system call where there is data, two where there is a hole (one, if data was seen to end
   * there), none where there was data when it was asked last: a caller that goes through the file
   * by short steps would otherwise make the file system look for the end of the same data again and
   * again.
   */
  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    long end = limit > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + limit;
    Data known = data;
    if (known.holds(offset)) {
      return Math.min(known.end(), end);
    }
    if (holes.isMissing()) {
      return end;
    }
    boolean isEnd = known.end() == offset;
    long hole = isEnd ? offset : seek(offset, Whence.HOLE);
    if (hole > offset) {
      data = new Data(offset, hole);
      return Math.min(hole, end);
    }
    long next = hole == offset ? seek(offset, Whence.DATA) : hole;
    if (next > offset) {
      return -Math.min(next, end);
    }
    if (next == -Errno.ENXIO) {
      return -end; // there is no more data, or no more file
    }
    if (next < 0) {
      holes.miss();
    } else if (isEnd) {
      data = Data.NONE; // written since
      return dataEnd(offset, limit);
    }
    return end; // not known, or written between the two calls
  }

  private long seek(long offset, Whence whence) throws ClosedChannelException {
    return descriptor.call(SystemCall.LSEEK, offset, whence.number(), 0);
  }

  /** What the kernel thinks of it does not matter. */
  @Override
  public void advise(Advice advice, long offset, long length) throws IOException {
    switch (advice) {
      case SEQUENTIAL -> descriptor.call(SystemCall.FADVISE64, offset, length, FADV_SEQUENTIAL);
      case NOT_AGAIN -> descriptor.call(SystemCall.FADVISE64, offset, length, FADV_DONTNEED);
      case FLUSHED_SOON ->
          descriptor.call(SystemCall.SYNC_FILE_RANGE, offset, length, SYNC_FILE_RANGE_WRITE);
    }
  }

  @Override
  public OptionalLong allocatedSize() throws IOException {
    return FileStatus.allocatedSize(descriptor);
  }

  @Override
  public boolean lock(long offset, long length, boolean shared) throws IOException {
    return (shared ? RangeLock.SHARED : RangeLock.EXCLUSIVE).set(descriptor, offset, length);
  }

  @Override
  public void unlock(long offset, long length) throws IOException {
    if (!RangeLock.NONE.set(descriptor, offset, length)) {
      throw new AssertionError("a lock is in the way of none");
    }
  }

  @Override
  public void close() throws IOException {
    descriptor.close();
  }
}
