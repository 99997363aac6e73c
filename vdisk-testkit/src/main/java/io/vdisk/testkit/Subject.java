package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The image format under a contract of crashes, faults or races. Files are the contract's: closing
 * them does nothing. So are backing devices, which stay open.
 */
public interface Subject {
  /** How many host files an image consists of; at least 1. */
  int files();

  /** The virtual size to create, in bytes; small (a few MiB), and best not a whole unit. */
  long size();

  /** Whether an image can lie over a backing device. */
  default boolean canHaveBacking() {
    return true;
  }

  /** Writes an empty image of {@code size} bytes into {@code files}, which are empty. */
  void create(List<HostFile> files, long size, Optional<BlockDevice> backing) throws IOException;

  /**
   * Opens what {@link #create} made, perhaps after a power cut.
   *
   * @param backing the device that {@code create} was given; it may be shorter than the image
   */
  BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException;

  /** What is wrong with the image, one line each; space that is merely lost is not wrong. */
  List<String> check(List<HostFile> files) throws IOException;

  /** Whether {@link #alter} does anything. */
  default boolean alters() {
    return false;
  }

  /**
   * Changes the image as a whole, by a feature of its device, so that the disk reads the same:
   * makes or deletes a snapshot, say. Fails where the device does.
   *
   * @param stamp rises from call to call
   */
  default void alter(BlockDevice device, int stamp) throws IOException {}
}
