package io.vdisk;

import java.io.IOException;

/**
 * The most that an image may ask for before it is refused. Formats have their own, mostly tighter
 * limits; these bound what an embedder is willing to spend on an image from a stranger. Immutable.
 *
 * @param virtualSize bytes of a virtual disk
 * @param tableBytes bytes of one table that an image says it has
 * @param chainDepth images in a chain, the first included
 */
public record Limits(long virtualSize, long tableBytes, int chainDepth) {
  /** Images in a chain: ours; crosvm stops at 10, QEMU not at all. */
  public static final int DEFAULT_CHAIN_DEPTH = 64;

  /** What holds if nothing is said: the format's own limits, and {@link #DEFAULT_CHAIN_DEPTH}. */
  public static final Limits DEFAULT =
      new Limits(Long.MAX_VALUE, Long.MAX_VALUE, DEFAULT_CHAIN_DEPTH);

  /** Checks that every limit is at least 1. */
  public Limits {
    if (virtualSize < 1 || tableBytes < 1 || chainDepth < 1) {
      throw new IllegalArgumentException("a limit is below 1");
    }
  }

  /** The same with another limit on the virtual size, bytes. */
  public Limits withVirtualSize(long bytes) {
    return new Limits(bytes, tableBytes, chainDepth);
  }

  /** The same with another limit on the size of a table, bytes. */
  public Limits withTableBytes(long bytes) {
    return new Limits(virtualSize, bytes, chainDepth);
  }

  /** The same with another limit on the images in a chain. */
  public Limits withChainDepth(int images) {
    return new Limits(virtualSize, tableBytes, images);
  }

  /** Refuses a virtual size that {@code file} asks for, if it is beyond the limit. */
  public void checkVirtualSize(long bytes, String file) throws IOException {
    if (bytes < 0 || bytes > virtualSize) {
      throw new UnsupportedImageException(
          file + ": virtual size " + bytes + " is beyond the limit of " + virtualSize + " bytes");
    }
  }

  /** Refuses a table of {@code file}, if it is larger than the limit. */
  public void checkTable(String table, long bytes, String file) throws IOException {
    if (bytes < 0 || bytes > tableBytes) {
      throw new UnsupportedImageException(
          file + ": " + table + " of " + bytes + " bytes is beyond the limit of " + tableBytes);
    }
  }
}
