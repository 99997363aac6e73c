package io.vdisk.testkit;

import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Counts changes of a host file, and takes only so many. One thread. */
final class ChangeCounter extends ForwardingFile {
  private final long most;
  private long changes;
  private boolean cut;

  /**
   * Counts.
   *
   * @param most changes that are let through; what comes after them fails
   */
  ChangeCounter(HostFile file, long most) {
    super(file);
    this.most = most;
  }

  /** Changes that were asked for, those that failed included. */
  long changes() {
    return changes;
  }

  /** Whether a change was refused. */
  boolean isCut() {
    return cut;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    count();
    super.write(src, offset);
  }

  @Override
  public void resize(long size) throws IOException {
    count();
    super.resize(size);
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    count();
    return super.zero(offset, length, keepSpace);
  }

  @Override
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    count();
    return super.share(source, sourceOffset, offset, length);
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    count();
    return super.allocate(offset, length);
  }

  private void count() throws IOException {
    changes++;
    if (changes > most) {
      cut = true;
      throw new IOException(name() + ": the power went off before change " + changes);
    }
  }
}
