package io.vdisk.testkit;

import java.io.IOException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What threads on one device may do to each other: nothing. They write interleaved sectors of the
 * same units, zero and discard and flush beside; a reader sees no foreign data, nothing that was
 * zeroed, and no sector going back. Where chance would seldom lead them, they are led.
 *
 * <p>The system property {@code vdisk.race.operations} sets the number of operations (default
 * 40,000), {@code vdisk.seed} where to begin. The seed repeats what the threads do, not how they
 * meet.
 */
public abstract class RaceContract {
  private static final int DEFAULT_OPERATIONS = 40_000;
  private static final int THREADS = 4;
  private static final int OPERATIONS_OF_A_ROUND = 500;

  /** A deadlock shows as a test that never ends. */
  private static final int MOST_SECONDS = 600;

  /** For subclasses. */
  protected RaceContract() {}

  /** The format under test. */
  protected abstract Subject subject();

  @Test
  @Timeout(value = MOST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  public void threadsNeitherLoseNorSeeWhatIsNotTheirs() throws Exception {
    run(
        this::subject,
        getClass().getSimpleName(),
        Integer.getInteger("vdisk.race.operations", DEFAULT_OPERATIONS));
  }

  /** Guards the grace period: freed space is used again only after the requests of its time. */
  @Test
  @Timeout(value = MOST_SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  public void readInProgressKeepsTheSpaceThatItFound() throws Exception {
    new LateRead(subject()).run();
  }

  /** Runs rounds on new images, of {@code operations} in all: most races are for new units. */
  static void run(Supplier<Subject> subjects, String name, int operations)
      throws IOException, InterruptedException {
    long seed = Long.getLong("vdisk.seed", 1);
    int rounds = Math.max(2, operations / THREADS / OPERATIONS_OF_A_ROUND);
    for (int i = 0; i < rounds; i++) {
      Subject subject = subjects.get();
      new RaceRun(subject, seed + i, subject.canHaveBacking() && (seed + i) % 2 != 0)
          .run(operations / THREADS / rounds);
    }
    System.out.printf(
        "%s: seeds %d to %d, %d operations of %d threads%n",
        name, seed, seed + rounds - 1, operations, THREADS);
  }
}
