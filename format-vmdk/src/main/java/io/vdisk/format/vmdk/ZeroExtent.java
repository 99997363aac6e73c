package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import java.util.Optional;

/** An extent of zeroes, without a file. */
final class ZeroExtent extends ReadOnlyExtent {
  private final long size;

  ZeroExtent(long size, String image) {
    super(image + ": an extent of zeroes cannot be written");
    this.size = size;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long unit() {
    return 1;
  }

  @Override
  public Mapping map(long offset, long length) {
    return Mapping.zero(length);
  }

  @Override
  public long unitEnd(long offset) {
    return size;
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.empty();
  }
}
