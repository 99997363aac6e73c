package io.vdisk.format.qcow2;

import io.vdisk.Reference;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.file.HostFile;
import java.nio.ByteBuffer;

/** Stands for the data file of an image that the caller chose to open alone: refuses its use. */
final class AbsentDataFile implements HostFile {
  private final Reference reference;

  AbsentDataFile(Reference reference) {
    this.reference = reference;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws ReferenceDeniedException {
    throw refusal();
  }

  private ReferenceDeniedException refusal() {
    return new ReferenceDeniedException(reference, "the image was opened without it");
  }

  @Override
  public void write(ByteBuffer src, long offset) throws ReferenceDeniedException {
    throw refusal();
  }

  @Override
  public long size() {
    return Long.MAX_VALUE;
  }

  @Override
  public void resize(long size) throws ReferenceDeniedException {
    throw refusal();
  }

  @Override
  public void flush() {}

  @Override
  public String name() {
    return reference.name();
  }

  @Override
  public boolean canWrite() {
    return false;
  }

  @Override
  public void close() {}
}
