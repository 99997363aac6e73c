package io.vdisk;

/** Told how far a long job is, from the job's threads, one call at a time. */
@FunctionalInterface
public interface Progress {
  /** A progress that nobody watches. */
  Progress NONE = (done, total) -> true;

  /**
   * Takes a report.
   *
   * @param done bytes of work done, rising
   * @param total bytes of work in all, at least {@code done}
   * @return false to cancel: the job ends with a {@link java.util.concurrent.CancellationException}
   */
  boolean report(long done, long total);
}
