package io.vdisk;

import java.util.List;
import java.util.concurrent.TimeUnit;

/** A clock that stands still but for pauses, which are over at once, and tells of them. */
final class TestClock implements CopyClock {
  private final List<String> log;
  private long now = 17;

  /** A clock that writes each pause down. */
  TestClock(List<String> log) {
    this.log = log;
  }

  @Override
  public synchronized long nanos() {
    return now;
  }

  @Override
  public synchronized void pause(long nanos, CopyTurns turns) {
    now += nanos;
    log.add("pause of " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms");
  }
}
