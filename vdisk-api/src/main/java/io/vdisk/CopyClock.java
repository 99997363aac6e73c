package io.vdisk;

/** The time by which a copy is slowed down. Thread-safe. */
interface CopyClock {
  /** The host's. */
  CopyClock SYSTEM =
      new CopyClock() {
        @Override
        public long nanos() {
          return System.nanoTime();
        }

        @Override
        public void pause(long nanos, CopyTurns turns) {
          turns.pause(nanos);
        }
      };

  /** Nanoseconds since some instant. */
  long nanos();

  /** Waits so long, or until the copy is over. */
  void pause(long nanos, CopyTurns turns);
}
