package io.vdisk.spi;

/**
 * Where a test may hold a thread, to drive an interleaving that chance does not find. Points that
 * say "waits" are reached with the lock held that the wait gives back: a test may take note there,
 * and whoever takes the lock afterwards finds the thread waiting.
 */
@FunctionalInterface
interface Pause {
  /** What everybody but a test passes. */
  Pause NONE = point -> {};

  /** Called by the thread that has come to the point. */
  void at(Point point);

  /** The points. */
  enum Point {
    /** {@link Gate#enter}: the epoch is read, nothing is counted yet. */
    EPOCH_READ,
    /** {@link Gate#enter}: counted, the epoch is not looked at again yet. */
    COUNTED,
    /** {@link Gate#enter}: found the gate closed and waits. */
    ENTRANT_WAITS,
    /** {@link Gate#closeExclusive}, {@link Gate#shut}: another is alone; waits for its turn. */
    TURN_WAITS,
    /** {@link Gate#closeExclusive}, {@link Gate#shut}: a request is in progress; waits for it. */
    DRAINER_WAITS,
    /** {@link Gate#awaitGrace}: the grace period is not over; waits. */
    GRACE_WAITS,
    /** {@link RangeLock#lock}: an earlier range overlaps; waits. */
    RANGE_WAITS,
    /** {@link RangeLock#unlock}: the last obstacle of a waiting range is gone; wakes its thread. */
    RANGE_FREED
  }
}
