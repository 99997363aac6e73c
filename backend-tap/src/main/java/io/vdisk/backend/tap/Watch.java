package io.vdisk.backend.tap;

/**
 * How long a worker looks at an empty ring before it goes to sleep. To be woken costs both sides
 * many microseconds, so it pays to look on for as long as that costs, if requests come so soon; if
 * they do not it looks less long the next time, and in the end not at all.
 *
 * <p>One thread at a time, the one that waits.
 */
final class Watch {
  private static final long SHORTEST_NANOSECONDS = 2_000;

  private final long most;
  private long nanoseconds;

  /** Looks for up to so long; 0 for never. */
  Watch(long mostNanoseconds) {
    this.most = mostNanoseconds;
  }

  long nanoseconds() {
    return nanoseconds;
  }

  /** After a sleep of so long, which a longer look might have spared. */
  void slept(long sleepNanoseconds) {
    nanoseconds =
        sleepNanoseconds <= most
            ? Math.min(most, Math.max(SHORTEST_NANOSECONDS, 2 * nanoseconds))
            : nanoseconds < SHORTEST_NANOSECONDS ? 0 : nanoseconds / 2;
  }
}
