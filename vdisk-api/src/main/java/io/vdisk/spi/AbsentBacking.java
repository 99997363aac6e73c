package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.ReferenceDeniedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.util.Set;

/** Stands for a backing file that the caller chose not to open: refuses what would need it. */
final class AbsentBacking implements BlockDevice {
  private final Reference reference;

  AbsentBacking(Reference reference) {
    this.reference = reference;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("absent", size(), 1).build();
  }

  @Override
  public long size() {
    return Long.MAX_VALUE;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    throw refusal();
  }

  @Override
  public void write(ByteBuffer src, long offset) {
    throw new NonWritableChannelException();
  }

  @Override
  public void writeZeroes(long offset, long length) {
    throw new NonWritableChannelException();
  }

  @Override
  public void discard(long offset, long length) {
    throw new NonWritableChannelException();
  }

  @Override
  public void flush() {}

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    throw refusal();
  }

  @Override
  public void close() {}

  private ReferenceDeniedException refusal() {
    return new ReferenceDeniedException(reference, "the image was opened without it");
  }
}
