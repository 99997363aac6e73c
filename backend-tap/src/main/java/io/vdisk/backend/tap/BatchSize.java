package io.vdisk.backend.tap;

/**
 * How many requests a worker takes at a time, and whether it does them alone: as many as it does in
 * 50 microseconds, by what the last ones took. Where they are slower than that the device is waited
 * for, and each request has a thread; where many fit, to hand them to other threads would cost more
 * than to do them.
 *
 * <p>Threads that wait for each other look as slow as a slow device does: writes to one file take
 * turns in many a host. So one worker tries now and then whether it is faster alone; the less often
 * the more often it was not.
 *
 * <p>A guest may ask for one thing at a time, as who waits for each answer before the next question
 * does. Then nobody else is needed however slow the device is, and to hand over would have two
 * threads woken for each request: another worker, and by the guest the one that went to sleep
 * meanwhile.
 *
 * <p>Any thread may call; a figure that is lost to another thread does no harm.
 */
final class BatchSize {
  /** So long a worker does one batch. */
  static final long TURN_NANOSECONDS = 50_000;

  /** Up to here a worker goes on alone: to wake another one costs some microseconds. */
  private static final long FAST_NANOSECONDS = 20_000;

  /** From here on waiting for each other does not explain it, were all workers to wait. */
  private static final long SLOW_NANOSECONDS = TapServer.MOST_WORKERS * FAST_NANOSECONDS;

  /** A new figure counts an eighth. */
  private static final int WEIGHT = 3;

  /** Batches that are tried alone: the others that are under way end with the first ones. */
  private static final int TRIED = 4;

  private static final int FEWEST_BETWEEN = 256;
  private static final int MOST_BETWEEN = 1 << 14;

  /**
   * So many batches without company let none be expected. What comes nevertheless is held up, once.
   */
  private static final int LONELY = 16;

  private volatile long average = TURN_NANOSECONDS;
  private volatile int begun; // the number of the last batch
  private volatile int accompanied; // the same, when last one was seen to have company

  // Of the leader.
  private int between = FEWEST_BETWEEN;
  private int next = FEWEST_BETWEEN; // batches until the next trial, and in it down to -TRIED

  /** So many requests took so long, one after the other, while others may have been done. */
  void took(int requests, long nanoseconds) {
    long before = average;
    average = before + ((nanoseconds / requests - before) >> WEIGHT);
  }

  /** The same, of a worker that leads: nobody else has begun with any since. */
  void tookAlone(int requests, long nanoseconds) {
    if (average >= FAST_NANOSECONDS && nanoseconds / requests < FAST_NANOSECONDS) {
      average = nanoseconds / requests; // what it took among others says nothing
      between = FEWEST_BETWEEN;
      next = between;
    } else {
      took(requests, nanoseconds);
    }
  }

  /**
   * The leader took a batch.
   *
   * @param othersWait whether it left some
   * @return the batch's number
   */
  int begin(boolean othersWait) {
    int number = begun + 1;
    begun = number;
    if (othersWait) {
      accompanied = number;
    }
    return number;
  }

  /**
   * A batch of this number is done, and not yet answered.
   *
   * @param othersWait whether some came meanwhile that nobody could take
   */
  void ended(int number, boolean othersWait) {
    int last = begun;
    if (othersWait || last != number) {
      accompanied = last;
    }
  }

  /** Requests to take. */
  int requests() {
    return (int) Math.max(1, Math.min(RequestBatch.MOST, TURN_NANOSECONDS / (average + 1)));
  }

  /**
   * True if the leader is to do this batch before anybody takes another: requests are done sooner
   * than another thread would begin with them, or it is to be tried whether they are, or no others
   * are expected. The leader asks once for each batch.
   */
  boolean isAlone() {
    if (average < FAST_NANOSECONDS) {
      return true;
    }
    if (average >= SLOW_NANOSECONDS) {
      return false;
    }
    if (begun - accompanied > LONELY) {
      return true;
    }
    if (--next >= 0) {
      return false;
    }
    if (next == -TRIED) {
      between = Math.min(2 * between, MOST_BETWEEN);
      next = between;
    }
    return true;
  }
}
