package io.vdisk.backend.tap.disk;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The space that the host has for a file and that nobody needs: 2 MiB of it are left to those who
 * cannot do without, as tapdisk leaves them (block-lcache.c). Any thread may call.
 */
@FunctionalInterface
interface HostRoom {
  /** Bytes that are left. */
  long RESERVE = 2L << 20;

  /** Bytes that the host would give now. */
  long usableBytes() throws IOException;

  /** Whether so many bytes may be taken. */
  default boolean hasRoomFor(long bytes) throws IOException {
    return usableBytes() - RESERVE >= bytes;
  }

  /**
   * That of a file's file system. A block device has its space already: what is in it, only its
   * format knows.
   */
  static HostRoom of(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return () -> Long.MAX_VALUE;
    }
    FileStore store = Files.getFileStore(file);
    return store::getUsableSpace;
  }
}
