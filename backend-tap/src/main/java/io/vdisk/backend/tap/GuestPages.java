package io.vdisk.backend.tap;

import io.vdisk.spi.BufferPool;
import java.nio.ByteBuffer;
import java.util.function.IntUnaryOperator;

/**
 * The data of requests in pages of a guest that are mapped here. Segments that lie one behind the
 * other are the device's own source or target; others are copied. Any thread may call.
 */
final class GuestPages {
  private static final BufferPool POOL = new BufferPool();

  private GuestPages() {}

  /**
   * Gives a request its data.
   *
   * @param page the number, in {@code pages}, of a segment's page
   */
  static void fetch(RequestBatch batch, int i, ByteBuffer pages, IntUnaryOperator page) {
    TapRequest request = batch.request(i);
    int first = start(request, 0, page);
    int length = 0;
    boolean isOnePiece = true;
    for (int segment = 0; segment < request.segmentCount(); segment++) {
      isOnePiece &= start(request, segment, page) == first + length;
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
        copy.put(at, pages, start(request, segment, page), request.lengthOf(segment));
        at += request.lengthOf(segment);
      }
    }
  }

  /** Gives the guest what was read into a copy, and takes the copy back. */
  static void store(RequestBatch batch, int i, ByteBuffer pages, IntUnaryOperator page) {
    if (!batch.isCopied(i)) {
      return;
    }
    TapRequest request = batch.request(i);
    ByteBuffer copy = batch.removeData(i);
    if (request.operation() == TapOperation.READ && batch.status(i) == TapStatus.OKAY) {
      int at = 0;
      for (int segment = 0; segment < request.segmentCount(); segment++) {
        pages.put(start(request, segment, page), copy, at, request.lengthOf(segment));
        at += request.lengthOf(segment);
      }
    }
    POOL.release(copy);
  }

  private static int start(TapRequest request, int segment, IntUnaryOperator page) {
    return page.applyAsInt(segment) * TapRequest.PAGE_SIZE + request.offsetOf(segment);
  }
}
