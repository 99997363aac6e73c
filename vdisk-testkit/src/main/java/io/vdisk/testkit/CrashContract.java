package io.vdisk.testkit;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * What a power cut may do to an image: at any host write or flush, the image has no errors
 * afterwards, and each sector holds its last flushed value or a later one.
 *
 * <p>The system property {@code vdisk.crash.images} sets how many images are looked at (default
 * 300), no two of which have the same bytes; {@code vdisk.seed} where to begin. Those that come up
 * once more are drawn, but not counted; the line that is printed has both numbers.
 */
public abstract class CrashContract {
  private static final int DEFAULT_IMAGES = 300;
  private static final int IMAGES_OF_A_HISTORY = 50;
  private static final int MOST_HISTORIES = 60;

  /** Where this many times the histories planned have too few distinct images, the test fails. */
  private static final int PATIENCE = 4;

  /** For subclasses. */
  protected CrashContract() {}

  /** The format under test. */
  protected abstract Subject subject();

  /** What the line that is printed calls the test. */
  protected String name() {
    return getClass().getName().substring(getClass().getPackageName().length() + 1);
  }

  @Test
  public void powerCutLeavesASoundImageWithEachSectorFlushedOrLater() throws IOException {
    run(this::subject, name(), Integer.getInteger("vdisk.crash.images", DEFAULT_IMAGES));
  }

  /** Looks at {@code images} distinct images; fails with seed, step and sector. */
  static void run(Supplier<Subject> subjects, String name, int images) throws IOException {
    long seed = Long.getLong("vdisk.seed", 1);
    int planned = Math.max(4, Math.min(MOST_HISTORIES, images / IMAGES_OF_A_HISTORY));
    Set<Long> distinct = new HashSet<>();
    int histories = 0;
    int drawn = 0;
    int instants = 0;
    while (distinct.size() < images) {
      if (histories == PATIENCE * planned) {
        throw new AssertionError(
            name + ": of " + drawn + " images only " + distinct.size() + " are distinct");
      }
      Subject subject = subjects.get();
      long own = seed + histories;
      boolean withBacking = subject.canHaveBacking() && own % 2 != 0;
      CrashRun run = new CrashRun(subject, own, withBacking, distinct);
      int left = Math.max(1, planned - histories);
      instants += run.run((images - distinct.size() + left - 1) / left);
      drawn += run.drawn();
      histories++;
    }
    System.out.printf(
        "%s: seeds %d to %d, %d distinct crash images of %d drawn at %d instants%n",
        name, seed, seed + histories - 1, distinct.size(), drawn, instants);
  }
}
