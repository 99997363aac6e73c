package io.vdisk.backend.tap;

import java.nio.ByteBuffer;

/**
 * Some requests that one thread took out of a ring together and serves one after the other. Used
 * again and again, by one thread.
 */
final class RequestBatch {
  /** Requests of a batch at most. */
  static final int MOST = 16;

  private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);

  private final TapRequest[] requests = new TapRequest[MOST];
  private final boolean[] answered = new boolean[MOST];
  private final TapStatus[] statuses = new TapStatus[MOST];
  private final ByteBuffer[] data = new ByteBuffer[MOST];
  private final boolean[] copied = new boolean[MOST];
  private int count;

  RequestBatch(RingAbi abi) {
    for (int i = 0; i < MOST; i++) {
      requests[i] = new TapRequest(abi);
    }
  }

  /**
   * Takes up to so many requests out of a ring in which they wait; a barrier is the last, and so is
   * what may take long.
   */
  void take(SharedRing ring, int most) {
    count = 0;
    while (count < Math.min(most, MOST) && !endsWithBarrier() && !endsWithLong()) {
      answered[count] = false;
      data[count] = NO_DATA;
      copied[count] = false;
      requests[count++].take(ring);
    }
  }

  /** True if the last request waits for all earlier ones, and later ones for it. */
  boolean endsWithBarrier() {
    return endsWith(TapOperation.WRITE_BARRIER);
  }

  /** True if the last request takes as long as a disk wants, whatever reads and writes take. */
  boolean endsWithLong() {
    return endsWith(TapOperation.FLUSH) || endsWith(TapOperation.DISCARD);
  }

  private boolean endsWith(TapOperation operation) {
    return count > 0 && requests[count - 1].code() == operation.code();
  }

  int count() {
    return count;
  }

  TapRequest request(int i) {
    return requests[i];
  }

  /** True if there is nothing to be done any longer. */
  boolean isAnswered(int i) {
    return answered[i];
  }

  /** How many of them. */
  int answeredCount() {
    int answers = 0;
    for (int i = 0; i < count; i++) {
      answers += answered[i] ? 1 : 0;
    }
    return answers;
  }

  void answer(int i, TapStatus status) {
    answered[i] = true;
    statuses[i] = status;
  }

  /** Answers those that are not answered yet. */
  void answerOthers(TapStatus status) {
    for (int i = 0; i < count; i++) {
      if (!answered[i]) {
        answer(i, status);
      }
    }
  }

  /** The guest did not get what was read. */
  void failReads(int from, int to) {
    for (int i = from; i < to; i++) {
      if (statuses[i] == TapStatus.OKAY && requests[i].operation() == TapOperation.READ) {
        answer(i, TapStatus.ERROR);
      }
    }
  }

  /** Of a request that is answered. */
  TapStatus status(int i) {
    return statuses[i];
  }

  /** As long as the request's segments, after {@link TapTransport#fetch}. */
  ByteBuffer data(int i) {
    return data[i];
  }

  /** {@code isCopy} if the bytes are not the guest's own memory. */
  void setData(int i, ByteBuffer buffer, boolean isCopy) {
    data[i] = buffer;
    copied[i] = isCopy;
  }

  /** Takes the data of a request away from it. */
  ByteBuffer removeData(int i) {
    ByteBuffer buffer = data[i];
    data[i] = NO_DATA;
    copied[i] = false;
    return buffer;
  }

  boolean isCopied(int i) {
    return copied[i];
  }
}
