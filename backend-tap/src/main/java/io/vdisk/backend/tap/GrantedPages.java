package io.vdisk.backend.tap;

import io.vdisk.spi.BufferPool;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The data of a guest's requests, in pages that it granted. It is always copied: the device works
 * on memory that the guest cannot change. What pages that stay mapped do not hold is copied by
 * grant, by one call for all requests of a batch. What cannot be copied is the error of its
 * request. Any thread may call.
 */
final class GrantedPages implements Closeable {
  private static final Logger LOG = System.getLogger(GrantedPages.class.getName());
  private static final BufferPool POOL = new BufferPool();

  /** Bytes of a segment in a page of an indirect request. */
  private static final int SEGMENT_SIZE = 8;

  private final String guest;
  private final GrantTable table;
  private final Optional<PersistentGrants> persistent;
  private final AtomicBoolean hasFailed = new AtomicBoolean();
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<GrantCopy> free = new ArrayDeque<>(); // under lock

  /**
   * Pages behind a table.
   *
   * @param guest its name, for the log
   * @param persistent those that stay mapped; closed with this
   */
  GrantedPages(String guest, GrantTable table, Optional<PersistentGrants> persistent) {
    this.guest = guest;
    this.table = table;
    this.persistent = persistent;
  }

  /** As {@link TapTransport#readSegments}. */
  boolean readSegments(TapRequest request) {
    ByteBuffer page = POOL.acquire(TapRequest.PAGE_SIZE).order(ByteOrder.nativeOrder());
    int left = request.segmentCount() * SEGMENT_SIZE;
    boolean isRead = true;
    for (int i = 0; i < request.indirectPageCount() && isRead; i++) {
      int length = Math.min(TapRequest.PAGE_SIZE, left);
      isRead = read(request.indirectPage(i), page, length);
      if (isRead) {
        request.readSegments(i, page);
      }
      left -= length;
    }
    POOL.release(page);
    return isRead;
  }

  private boolean read(int reference, ByteBuffer page, int length) {
    if (copyMapped(false, reference, 0, page, 0, length)) {
      return true;
    }
    GrantCopy copy = take();
    copy.add(0, false, reference, 0, copy.buffer(page), length);
    boolean isRead = hasRun(copy) && hasSucceeded(copy, 0);
    giveBack(copy);
    return isRead;
  }

  /** As {@link TapTransport#fetch}. */
  void fetch(RequestBatch batch) {
    GrantCopy copy = take();
    for (int i = 0; i < batch.count(); i++) {
      TapRequest request = batch.request(i);
      if (!batch.isAnswered(i) && request.segmentCount() > 0) {
        batch.setData(i, POOL.acquire(length(request)), true);
        if (request.operation() != TapOperation.READ) {
          gather(copy, batch, i, false);
        }
      }
    }
    run(copy, batch);
    giveBack(copy);
  }

  private static int length(TapRequest request) {
    int length = 0;
    for (int segment = 0; segment < request.segmentCount(); segment++) {
      length += request.lengthOf(segment);
    }
    return length;
  }

  /** As {@link TapTransport#store}. */
  void store(RequestBatch batch, int from, int to) {
    GrantCopy copy = take();
    for (int i = from; i < to; i++) {
      if (batch.isCopied(i)
          && batch.request(i).operation() == TapOperation.READ
          && batch.status(i) == TapStatus.OKAY) {
        gather(copy, batch, i, true);
      }
    }
    run(copy, batch);
    giveBack(copy);
    for (int i = from; i < to; i++) {
      if (batch.isCopied(i)) {
        POOL.release(batch.removeData(i));
      }
    }
  }

  /**
   * Copies the data of a request where its pages are mapped, and says what else is to be copied.
   */
  private void gather(GrantCopy copy, RequestBatch batch, int i, boolean toGuest) {
    TapRequest request = batch.request(i);
    ByteBuffer data = batch.data(i);
    long address = copy.buffer(data);
    int at = 0;
    for (int segment = 0; segment < request.segmentCount(); segment++) {
      int reference = request.page(segment);
      int offset = request.offsetOf(segment);
      int length = request.lengthOf(segment);
      if (!copyMapped(toGuest, reference, offset, data, at, length)) {
        copy.add(i, toGuest, reference, offset, address + at, length);
      }
      at += length;
    }
  }

  private boolean copyMapped(
      boolean toGuest, int reference, int offset, ByteBuffer buffer, int at, int length) {
    return persistent.isPresent()
        && persistent.get().copy(toGuest, reference, offset, buffer, at, length);
  }

  /** Makes a copy; requests of which it failed are answered so. */
  private void run(GrantCopy copy, RequestBatch batch) {
    boolean hasRun = hasRun(copy);
    for (int i = 0; i < copy.count(); i++) {
      if (!hasRun || !hasSucceeded(copy, i)) {
        batch.answer(copy.owner(i), TapStatus.ERROR);
      }
    }
  }

  private boolean hasRun(GrantCopy copy) {
    try {
      table.copy(copy);
      return true;
    } catch (IOException e) {
      warn("the kernel copied nothing", e);
      return false;
    }
  }

  private boolean hasSucceeded(GrantCopy copy, int segment) {
    if (copy.status(segment) == 0) {
      return true;
    }
    String page = Integer.toUnsignedString(copy.reference(segment));
    warn("Xen did not copy the page granted as " + page + ", status " + copy.status(segment), null);
    return false;
  }

  private void warn(String what, @Nullable Throwable cause) {
    if (hasFailed.compareAndSet(false, true)) {
      LOG.log(
          Level.WARNING,
          guest + ": " + what + "; such requests fail, and are not told again",
          cause);
    }
  }

  private GrantCopy take() {
    lock.lock();
    try {
      GrantCopy copy = free.poll();
      return copy == null ? table.newCopy() : copy;
    } finally {
      lock.unlock();
    }
  }

  private void giveBack(GrantCopy copy) {
    copy.clear();
    lock.lock();
    try {
      free.push(copy);
    } finally {
      lock.unlock();
    }
  }

  /** Unmaps what stayed mapped. */
  @Override
  public void close() throws IOException {
    if (persistent.isPresent()) {
      persistent.get().close();
    }
  }
}
