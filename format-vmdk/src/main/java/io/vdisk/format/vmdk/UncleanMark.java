package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The byte of a header that tells that somebody is writing, or died writing. */
final class UncleanMark {
  private final HostFile file;
  private final long offset;
  private final int bytes;
  private volatile boolean isSet;

  /** Whether it stands for this opening, and not for one that ended badly. */
  private volatile boolean isOurs;

  private UncleanMark(HostFile file, long offset, int bytes, boolean isSet) {
    this.file = file;
    this.offset = offset;
    this.bytes = bytes;
    this.isSet = isSet;
  }

  static UncleanMark of(HostFile file, SparseHeader header) {
    return new UncleanMark(
        file,
        SparseHeader.UNCLEAN_SHUTDOWN.offset(),
        SparseHeader.UNCLEAN_SHUTDOWN.length(),
        header.unclean());
  }

  static UncleanMark of(HostFile file, CowdHeader header) {
    return new UncleanMark(
        file,
        CowdHeader.UNCLEAN_SHUTDOWN.offset(),
        CowdHeader.UNCLEAN_SHUTDOWN.length(),
        header.unclean());
  }

  /** Whether it is set, by whomever. */
  boolean isSet() {
    return isSet;
  }

  /** Sets it; durable on return. */
  void set() throws IOException {
    if (!isSet) {
      write(1);
      file.flush();
      isSet = true;
    }
    isOurs = true;
  }

  /** Clears it, if {@link #set} was called; a flush follows. */
  void clear() throws IOException {
    if (isOurs) {
      write(0);
      isOurs = false;
      isSet = false;
    }
  }

  private void write(int value) throws IOException {
    ByteBuffer mark = ByteBuffer.allocate(bytes);
    mark.put(0, (byte) value);
    file.write(mark, offset);
  }
}
