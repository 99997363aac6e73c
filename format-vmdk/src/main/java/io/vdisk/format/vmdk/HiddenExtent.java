package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import java.io.IOException;
import java.util.Optional;

/** An extent that the descriptor lets nobody read. */
final class HiddenExtent extends ReadOnlyExtent {
  private final long size;
  private final String why;

  HiddenExtent(ExtentLine line, String image) {
    super(image + ": extent '" + line.name() + "' is NOACCESS");
    this.size = line.sectors() * SparseHeader.SECTOR;
    this.why = image + ": extent '" + line.name() + "' is NOACCESS";
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
  public Mapping map(long offset, long length) throws IOException {
    throw new UnsupportedImageException(why);
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.empty();
  }
}
