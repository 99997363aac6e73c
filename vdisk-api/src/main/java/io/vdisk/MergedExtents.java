package io.vdisk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Walks the extents of a range and joins neighbours that continue each other. One thread. */
final class MergedExtents implements Iterator<Extent> {
  private final BlockDevice device;
  private final long end;
  private long position;
  private @Nullable Extent next;

  MergedExtents(BlockDevice device, long offset, long length) {
    this.device = device;
    this.position = offset;
    this.end = offset + length;
  }

  @Override
  public boolean hasNext() {
    return next != null || position < end;
  }

  @Override
  public Extent next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Extent merged = next != null ? next : ask();
    next = null;
    while (position < end) {
      Extent following = ask();
      if (!merged.continuesWith(following)) {
        next = following;
        break;
      }
      merged = merged.withLength(merged.length() + following.length());
    }
    return merged;
  }

  private Extent ask() {
    try {
      Extent extent = device.extentAt(position, end - position);
      position += extent.length();
      return extent;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
