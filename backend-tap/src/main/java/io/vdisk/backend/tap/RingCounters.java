package io.vdisk.backend.tap;

import java.util.concurrent.atomic.LongAdder;

/** What happened at one guest's ring. Any thread may call. */
public final class RingCounters {
  /**
   * All at one moment, or nearly so.
   *
   * @param taken requests taken out of the ring
   * @param answered responses put into it
   * @param woken how often whoever waited at the ring was woken
   * @param rung how often the guest's bell was rung
   * @param senseless requests that made no sense, and were answered so
   * @param unreachable requests whose pages are not the guest's
   * @param failed requests at which the disk failed
   */
  public record Snapshot(
      long taken,
      long answered,
      long woken,
      long rung,
      long senseless,
      long unreachable,
      long failed) {}

  private final LongAdder taken = new LongAdder();
  private final LongAdder answered = new LongAdder();
  private final LongAdder woken = new LongAdder();
  private final LongAdder rung = new LongAdder();
  private final LongAdder senseless = new LongAdder();
  private final LongAdder unreachable = new LongAdder();
  private final LongAdder failed = new LongAdder();

  void took(int requests) {
    taken.add(requests);
  }

  void answered(int requests) {
    answered.add(requests);
  }

  void wasWoken() {
    woken.increment();
  }

  void rang() {
    rung.increment();
  }

  void foundSenseless() {
    senseless.increment();
  }

  void couldNotReach(int requests) {
    unreachable.add(requests);
  }

  void diskFailed() {
    failed.increment();
  }

  /** What has been counted so far; no more answers than requests. */
  public Snapshot snapshot() {
    long answers = answered.sum(); // first
    return new Snapshot(
        taken.sum(),
        answers,
        woken.sum(),
        rung.sum(),
        senseless.sum(),
        unreachable.sum(),
        failed.sum());
  }
}
