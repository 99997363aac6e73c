package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.Allocation;
import java.io.IOException;

/** An extent of a kind that is only read. */
abstract class ReadOnlyExtent implements VmdkExtent {
  private final String why;

  /** Refuses writes with this sentence. */
  ReadOnlyExtent(String why) {
    this.why = why;
  }

  @Override
  public final void beforeWrite() throws IOException {
    throw new UnsupportedImageException(why);
  }

  @Override
  public final Allocation allocate(long offset, long length) throws IOException {
    throw new UnsupportedImageException(why);
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    throw new UnsupportedImageException(why);
  }
}
