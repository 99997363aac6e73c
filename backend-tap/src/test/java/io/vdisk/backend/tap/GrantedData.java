package io.vdisk.backend.tap;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.stream.IntStream;

/** Pages of data that a guest of a simulated Xen grants, and which of them it uses. One thread. */
final class GrantedData {
  /** Sectors of a page: {@code sector} to {@code sector + last - first} of the disk. */
  record Segment(int sector, int page, int first, int last) {
    int sectors() {
      return last - first + 1;
    }
  }

  static final int SECTORS_OF_PAGE = 8;

  /** More than stay mapped of a guest that goes on using its pages. */
  private static final int PAGES = PersistentGrants.MOST + 144;

  private static final int FIRST = 1000; // the reference of the first page

  private final SimulatedXen xen;
  private final ByteBuffer bytes;
  private final Deque<Integer> free = new ArrayDeque<>();

  GrantedData(SimulatedXen xen) {
    this.xen = xen;
    this.bytes = xen.grant(IntStream.range(FIRST, FIRST + PAGES).toArray());
    IntStream.range(0, PAGES).forEach(free::add);
  }

  ByteBuffer bytes() {
    return bytes;
  }

  int freeCount() {
    return free.size();
  }

  /** The page that was not used for longest. */
  int take() {
    return free.remove();
  }

  void giveBack(int page) {
    free.add(page);
  }

  /** By which others know a page. */
  int reference(int page) {
    return FIRST + page;
  }

  void revoke(int page) {
    xen.revoke(reference(page));
  }

  void grantAgain(int page) {
    xen.grant(reference(page), bytes.slice(page * SimulatedXen.PAGE, SimulatedXen.PAGE));
  }

  void fill(Segment segment, long value) {
    for (int at = 0; at < segment.sectors() * DiskModel.SECTOR; at += Long.BYTES) {
      bytes.putLong(at(segment) + at, value);
    }
  }

  /** Holds what was read against what may be there. */
  void check(Segment segment, DiskModel model, SectorHistory.Moment read) {
    for (int i = 0; i < segment.sectors(); i++) {
      model.check(segment.sector() + i, bytes, at(segment) + i * DiskModel.SECTOR, read);
    }
  }

  private static int at(Segment segment) {
    return segment.page() * SimulatedXen.PAGE + segment.first() * DiskModel.SECTOR;
  }
}
