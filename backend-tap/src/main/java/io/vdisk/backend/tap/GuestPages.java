package io.vdisk.backend.tap;

import io.vdisk.spi.BufferPool;
import java.nio.ByteBuffer;

/**
 * The pages of a guest that are mapped here, and the data of requests in them. Segments that lie
 * one behind the other are the device's own source or target; others are copied. Any thread may
 * call.
 */
final class GuestPages {
  /** A segment whose page is not the guest's. */
  static final int NONE = -1;

  private static final BufferPool POOL = new BufferPool();

  /** Where the page of a segment is. */
  interface Numbering {
    /** The number of the page among all, or {@link #NONE}. */
    int page(TapRequest request, int segment);
  }

  private final ByteBuffer pages;
  private final Numbering numbering;

  GuestPages(ByteBuffer pages, Numbering numbering) {
    this.pages = pages;
    this.numbering = numbering;
  }

  /** As {@link TapTransport#fetch}. */
  void fetch(RequestBatch batch) {
    for (int i = 0; i < batch.count(); i++) {
      TapRequest request = batch.request(i);
      if (batch.isAnswered(i) || request.segmentCount() == 0) {
        continue;
      }
      if (hasPages(request)) {
        fetch(batch, i, request);
      } else {
        batch.answer(i, TapStatus.ERROR);
      }
    }
  }

  private boolean hasPages(TapRequest request) {
    for (int segment = 0; segment < request.segmentCount(); segment++) {
      if (numbering.page(request, segment) == NONE) {
        return false;
      }
    }
    return true;
  }

  private void fetch(RequestBatch batch, int i, TapRequest request) {
    int first = start(request, 0);
    int length = 0;
    boolean isOnePiece = true;
    for (int segment = 0; segment < request.segmentCount(); segment++) {
      isOnePiece &= start(request, segment) == first + length;
      length += request.lengthOf(segment);
    }
    if (isOnePiece) {
      batch.setData(i, pages.slice(first, length), false);
      return;
    }
    ByteBuffer copy = POOL.acquire(length);
    batch.setData(i, copy, true);
    if (request.operation() != TapOperation.READ) {
      int at = 0;
      for (int segment = 0; segment < request.segmentCount(); segment++) {
        copy.put(at, pages, start(request, segment), request.lengthOf(segment));
        at += request.lengthOf(segment);
      }
    }
  }

  /** As {@link TapTransport#store}. */
  void store(RequestBatch batch, int from, int to) {
    for (int i = from; i < to; i++) {
      if (batch.isCopied(i)) {
        store(batch, i);
      }
    }
  }

  private void store(RequestBatch batch, int i) {
    TapRequest request = batch.request(i);
    ByteBuffer copy = batch.removeData(i);
    if (request.operation() == TapOperation.READ && batch.status(i) == TapStatus.OKAY) {
      int at = 0;
      for (int segment = 0; segment < request.segmentCount(); segment++) {
        pages.put(start(request, segment), copy, at, request.lengthOf(segment));
        at += request.lengthOf(segment);
      }
    }
    POOL.release(copy);
  }

  private int start(TapRequest request, int segment) {
    return numbering.page(request, segment) * TapRequest.PAGE_SIZE + request.offsetOf(segment);
  }
}
