package io.vdisk.backend.tap;

import com.google.common.io.Closer;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Pages of a guest that goes on using those that it granted once: they stay mapped from their first
 * use on, and bytes are copied without a call of the kernel's. Any thread may call.
 *
 * <p>A page for which there is no room, or that cannot be mapped for reading and writing, is left
 * to be copied by grant. While there is no room the page that was not used for longest makes some
 * now and then: if it did each time, a guest that goes round through more pages than there are
 * would have each of them mapped and unmapped for every use.
 */
final class PersistentGrants implements Closeable {
  /**
   * Pages of a ring: what Linux' back end keeps (xen-blkback, max_persistent_grants), 32 requests
   * of 32 segments and a page that holds these.
   */
  static final int MOST = 1056;

  /**
   * Pages of all rings of this process: each is a mapping of its own, of which the kernel lets a
   * process have 65,530 (vm.max_map_count), and the JVM needs some of these for its threads.
   */
  private static final int MOST_OF_PROCESS = 16_384;

  /**
   * Between two pages that make room: a twentieth of them goes in a tenth of a second, as there.
   */
  static final long PAUSE_NANOSECONDS = 2_000_000;

  /**
   * A guest of which so many pages could not be mapped means something else, or memory is short.
   */
  static final int MOST_FAILURES = 64;

  private static final AtomicInteger OF_PROCESS = new AtomicInteger();

  /** A mapped page, and how many are copying from or to it. */
  private record Page(MappedGrants grant, AtomicInteger users) {}

  private final GrantTable table;
  private final int most;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();

  // Under lock.
  private final Map<Integer, Page> pages = new LinkedHashMap<>(64, 0.75f, true); // by last use
  private int failures;
  private long roomMade;

  /** Keeps up to so many pages. */
  PersistentGrants(GrantTable table, int most, LongSupplier nanoTime) {
    this.table = table;
    this.most = most;
    this.nanoTime = nanoTime;
    this.roomMade = nanoTime.getAsLong();
  }

  /**
   * Copies from a page into a buffer, or, if {@code toGuest}, the other way.
   *
   * @param offset in the page, with {@code length} not past its end
   * @param at in the buffer
   * @return false if the page is not mapped: nothing was copied
   */
  boolean copy(boolean toGuest, int reference, int offset, ByteBuffer buffer, int at, int length) {
    Page page = acquire(reference);
    if (page == null) {
      return false;
    }
    ByteBuffer bytes = page.grant().buffer();
    if (toGuest) {
      bytes.put(offset, buffer, at, length);
    } else {
      buffer.put(at, bytes, offset, length);
    }
    page.users().decrementAndGet();
    return true;
  }

  private @Nullable Page acquire(int reference) {
    lock.lock();
    try {
      Page page = pages.get(reference);
      if (page == null && failures < MOST_FAILURES && hasRoom()) {
        page = map(reference);
      }
      if (page != null) {
        page.users().incrementAndGet();
      }
      return page;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Page map(int reference) {
    if (OF_PROCESS.incrementAndGet() <= MOST_OF_PROCESS) {
      try {
        Page page = new Page(table.map(List.of(reference)), new AtomicInteger());
        pages.put(reference, page);
        return page;
      } catch (IOException | OutOfMemoryError e) {
        failures++;
      }
    }
    OF_PROCESS.decrementAndGet();
    return null;
  }

  private boolean hasRoom() {
    if (pages.size() < most) {
      return true;
    }
    long now = nanoTime.getAsLong();
    if (now - roomMade < PAUSE_NANOSECONDS) {
      return false;
    }
    roomMade = now;
    return dropEldest();
  }

  private boolean dropEldest() {
    for (Iterator<Page> all = pages.values().iterator(); all.hasNext(); ) {
      Page eldest = all.next();
      if (eldest.users().get() == 0) { // and nobody begins while the lock is held
        all.remove();
        OF_PROCESS.decrementAndGet();
        try {
          eldest.grant().close();
        } catch (IOException e) {
          failures = MOST_FAILURES; // the kernel keeps what is unmapped here: no more of these
        }
        return true;
      }
    }
    return false;
  }

  /** Pages that are mapped. */
  int count() {
    lock.lock();
    try {
      return pages.size();
    } finally {
      lock.unlock();
    }
  }

  /** Unmaps all; nobody copies any longer. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      failures = MOST_FAILURES;
      Closer all = Closer.create();
      pages.values().forEach(page -> all.register(page.grant()));
      OF_PROCESS.addAndGet(-pages.size());
      pages.clear();
      all.close();
    } finally {
      lock.unlock();
    }
  }
}
