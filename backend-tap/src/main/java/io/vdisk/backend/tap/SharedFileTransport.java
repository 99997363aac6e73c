package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A guest that is another process of this machine: ring and data lie in a file that both map.
 * Segments whose pages are neighbours are the device's own source or target; others are copied.
 */
final class SharedFileTransport extends TapTransport {
  private final String name;
  private final SharedFileLayout layout;
  private final ByteBuffer numbers;
  private final ByteBuffer ring;
  private final ByteBuffer data;
  private final GuestPages pages;
  private final Bell bell;

  private SharedFileTransport(
      String name, SharedFileLayout layout, MappedByteBuffer all, Bell bell) {
    this.name = name;
    this.layout = layout;
    this.numbers = all;
    this.ring = layout.ring(all);
    this.data = layout.data(all);
    this.pages = new GuestPages(data, this::page);
    this.bell = bell;
  }

  /**
   * The guest that made this file. Tells it the disk's numbers there.
   *
   * @param name of the guest, for the log
   * @param bell is the transport's from now on; after an exception still the caller's
   */
  static SharedFileTransport open(Path path, String name, DiskInfo disk, Bell bell)
      throws IOException {
    if (!path.isAbsolute() || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException("not the absolute path of a file: " + path);
    }
    try (FileChannel file =
        FileChannel.open(
            path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      SharedFileLayout layout = SharedFileLayout.read(file, path.toString());
      MappedByteBuffer all = layout.map(file);
      all.putLong(SharedFileLayout.SECTORS, disk.sectors());
      all.putInt(SharedFileLayout.SECTOR_SIZE, TapRequest.SECTOR_SIZE);
      all.putInt(SharedFileLayout.INFO, disk.info());
      all.putInt(
          SharedFileLayout.FEATURES,
          SharedFileLayout.BARRIER | SharedFileLayout.FLUSH | SharedFileLayout.DISCARD);
      all.putInt(SharedFileLayout.INDIRECT_SEGMENTS, TapRequest.MOST_SEGMENTS);
      return new SharedFileTransport(name, layout, all, bell);
    }
  }

  @Override
  long session() {
    return numbers.getLong(SharedFileLayout.SESSION);
  }

  @Override
  ByteBuffer ring() {
    return ring;
  }

  @Override
  RingAbi abi() {
    return layout.abi();
  }

  @Override
  boolean readSegments(TapRequest request) {
    ByteBuffer page = ByteBuffer.allocate(TapRequest.PAGE_SIZE).order(data.order());
    for (int i = 0; i < request.indirectPageCount(); i++) {
      int number = request.indirectPage(i);
      if (!isPage(number)) {
        return false;
      }
      page.put(0, data, number * TapRequest.PAGE_SIZE, TapRequest.PAGE_SIZE);
      request.readSegments(i, page);
    }
    return true;
  }

  @Override
  void fetch(RequestBatch batch) {
    pages.fetch(batch);
  }

  @Override
  void store(RequestBatch batch, int from, int to) {
    pages.store(batch, from, to);
  }

  private int page(TapRequest request, int segment) {
    int number = request.page(segment);
    return isPage(number) ? number : GuestPages.NONE;
  }

  /**
   * A guest can cut its file short. HotSpot 17 tells a thread that it touched what is gone only
   * when compiled code calls into the virtual machine the next time, wherever that is: be it here,
   * and not in the midst of a lock, which would stay broken. An array of arrays is always made by
   * such a call.
   */
  @Override
  void settle() {
    byte[][] made = new byte[layout.ringPages()][0];
    if (made.length == 0) {
      throw new AssertionError("a ring without pages");
    }
  }

  private boolean isPage(int number) {
    return number >= 0 && number < layout.dataPages();
  }

  @Override
  boolean await() throws IOException {
    return bell.await();
  }

  @Override
  void wake() {
    bell.wake();
  }

  @Override
  void ringBell() {
    bell.ring(Bell.RING);
  }

  @Override
  void announceSize(long bytes) {
    numbers.putLong(SharedFileLayout.SECTORS, bytes / TapRequest.SECTOR_SIZE);
    bell.ring(Bell.SIZE);
  }

  @Override
  public void close() throws IOException {
    bell.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
