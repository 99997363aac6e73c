package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** A worker's hands: one batch of requests, from the ring to the device and back. One thread. */
final class RingWorker {
  /** What all workers of a server share. */
  record Shared(
      TapTransport transport,
      SharedRing ring,
      Service service,
      Responses responses,
      BatchSize batchSize,
      AtomicInteger inFlight,
      RingCounters counters) {}

  private final Shared shared;
  private final RequestBatch batch;
  private int number;
  private long began;
  private int unanswered;

  RingWorker(Shared shared) {
    this.shared = shared;
    this.batch = new RequestBatch(shared.transport.abi());
  }

  /** Takes some of the requests that wait. The lead is held. */
  void take() throws IOException {
    batch.take(shared.ring, Math.min(shared.ring.waiting(), shared.batchSize.requests()));
    shared.inFlight.addAndGet(batch.count());
    shared.counters.took(batch.count());
    unanswered = batch.count();
    number = shared.batchSize.begin(shared.ring.waiting() > 0);
    began = System.nanoTime();
  }

  boolean hasBarrier() {
    return batch.endsWithBarrier();
  }

  /** Whether the last request may take long. */
  boolean hasLong() {
    return batch.endsWithLong();
  }

  int count() {
    return batch.count();
  }

  /** Requests before one that waits for all others, or may take long. */
  int plainCount() {
    return hasBarrier() || hasLong() ? batch.count() - 1 : batch.count();
  }

  /** Bytes of all. After {@link #fetch}. */
  long bytes() {
    long sum = 0;
    for (int i = 0; i < batch.count(); i++) {
      sum += batch.data(i).remaining();
    }
    return sum;
  }

  /**
   * Looks at what was taken, and gets the data of those requests that can be done. What there is no
   * memory for, which other guests may have, is answered with an error: the ring goes on.
   */
  void fetch() throws IOException {
    try {
      check();
      int senseless = batch.answeredCount();
      shared.transport.fetch(batch);
      shared.counters.couldNotReach(batch.answeredCount() - senseless);
    } catch (OutOfMemoryError e) {
      batch.answerOthers(TapStatus.ERROR);
      shared.service.tell(e);
    }
  }

  private void check() throws IOException {
    for (int i = 0; i < batch.count(); i++) {
      TapStatus status = shared.service.check(batch.request(i), shared.transport);
      if (status != TapStatus.OKAY) {
        batch.answer(i, status);
        shared.counters.foundSenseless();
      }
    }
  }

  /**
   * Does and answers requests from {@code from} on, up to {@code to}, or fewer where they take
   * long.
   *
   * @param leads whether nobody else takes any meanwhile
   * @return the first that was not done
   */
  int serve(int from, int to, boolean leads) throws IOException {
    long start = System.nanoTime();
    int done = perform(from, to, start);
    long nanoseconds = System.nanoTime() - start;
    if (leads) {
      shared.batchSize.tookAlone(done - from, nanoseconds);
    } else {
      shared.batchSize.took(done - from, nanoseconds);
    }
    // Before the answer, as who has it may ask at once.
    shared.batchSize.ended(number, leads && shared.ring.waiting() > 0);
    answer(from, done);
    return done;
  }

  /** Does and answers the last one, which says nothing of how long others take. */
  void serveLast() throws IOException {
    int last = batch.count() - 1;
    answer(last, perform(last, batch.count(), System.nanoTime()));
  }

  /** The first that was not done. */
  private int perform(int from, int to, long start) {
    long now = start;
    int done = from;
    while (done < to && now - start < BatchSize.TURN_NANOSECONDS) {
      TapRequest request = batch.request(done);
      if (!batch.isAnswered(done)) {
        batch.answer(done, shared.service.serve(request, batch.data(done)));
        if (batch.status(done) != TapStatus.OKAY) {
          shared.counters.diskFailed();
        }
      }
      now = System.nanoTime();
      shared.service.count(request, batch.status(done), now - began);
      done++;
    }
    return done;
  }

  private void answer(int from, int to) throws IOException {
    store(from, to);
    shared.responses.put(batch, from, to);
    shared.inFlight.addAndGet(from - to);
    unanswered -= to - from;
  }

  private void store(int from, int to) throws IOException {
    try {
      shared.transport.store(batch, from, to);
    } catch (OutOfMemoryError e) {
      batch.failReads(from, to);
      shared.service.tell(e);
    }
  }

  /**
   * Gives up what has no answer, which there is after a failure of the ring or of its pages only.
   */
  void abandon() {
    shared.inFlight.addAndGet(-unanswered);
    unanswered = 0;
  }
}
