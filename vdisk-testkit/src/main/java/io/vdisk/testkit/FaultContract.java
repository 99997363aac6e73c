package io.vdisk.testkit;

import java.io.IOException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a failing host may do to a device and its image, for each host operation of a history: the
 * caller gets an {@link IOException} and nothing else; what was flushed is not lost; the device
 * goes on, or after a failed flush refuses every change and goes on reading; the image has no
 * errors afterwards.
 *
 * <p>The system property {@code vdisk.seed} sets where to begin, {@code vdisk.fault.histories} how
 * many histories there are.
 */
public abstract class FaultContract {
  /** A lock that a failure left held shows as a test that never ends. */
  private static final int MOST_SECONDS = 600;

  private static final int DEFAULT_HISTORIES = 4;

  /** For subclasses. */
  protected FaultContract() {}

  /** The format under test. */
  protected abstract Subject subject();

  /**
   * How many histories, unless the system property says so; every other one has a backing device,
   * if there may be one. Where much of a format is under this contract as another subject already,
   * fewer do.
   */
  protected int histories() {
    return DEFAULT_HISTORIES;
  }

  @Test
  @Timeout(value = MOST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  public void operationThatFailsOnceLosesNothingThatWasFlushed() throws IOException {
    run(this::subject, getClass().getSimpleName(), false, histories());
  }

  @Test
  @Timeout(value = MOST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  public void hostThatTakesNoMoreChangesLosesNothingThatWasFlushed() throws IOException {
    run(this::subject, getClass().getSimpleName(), true, histories());
  }

  /** Fails every host operation of some histories, one in each run. */
  static void run(Supplier<Subject> subjects, String name, boolean forEver, int fewest)
      throws IOException {
    long first = Long.getLong("vdisk.seed", 1);
    int histories = Integer.getInteger("vdisk.fault.histories", fewest);
    long runs = 0;
    for (long seed = first; seed < first + histories; seed++) {
      boolean withBacking = subjects.get().canHaveBacking() && seed % 2 != 0;
      long operations =
          new FaultRun(subjects.get(), seed, withBacking, FaultRun.NONE, forEver).run();
      for (long i = 0; i < operations; i++) {
        new FaultRun(subjects.get(), seed, withBacking, i, forEver).run();
      }
      runs += operations;
    }
    System.out.printf(
        "%s: seeds %d to %d, each of %d host operations failed%s%n",
        name, first, first + histories - 1, runs, forEver ? " with all that followed" : "");
  }
}
