package io.vdisk.testkit;

import java.io.IOException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * What a power cut may do to an image: at any host write or flush, the image has no errors
 * afterwards, and each sector holds its last flushed value or a later one.
 *
 * <p>The system property {@code vdisk.crash.images} sets how many images are looked at (default
 * 300), {@code vdisk.seed} where to begin.
 */
public abstract class CrashContract {
  private static final int DEFAULT_IMAGES = 300;
  private static final int IMAGES_OF_A_HISTORY = 50;
  private static final int MOST_HISTORIES = 60;

  /** For subclasses. */
  protected CrashContract() {}

  /** The format under test. */
  protected abstract Subject subject();

  @Test
  public void powerCutLeavesASoundImageWithEachSectorFlushedOrLater() throws IOException {
    run(
        this::subject,
        getClass().getSimpleName(),
        Integer.getInteger("vdisk.crash.images", DEFAULT_IMAGES));
  }

  /** Looks at {@code images} images; fails with seed, step and sector. */
  static void run(Supplier<Subject> subjects, String name, int images) throws IOException {
    long seed = Long.getLong("vdisk.seed", 1);
    int histories = Math.max(4, Math.min(MOST_HISTORIES, images / IMAGES_OF_A_HISTORY));
    int instants = 0;
    for (int i = 0; i < histories; i++) {
      Subject subject = subjects.get();
      int share = images * (i + 1) / histories - images * i / histories;
      instants +=
          new CrashRun(subject, seed + i, subject.canHaveBacking() && i % 2 == 0).run(share);
    }
    System.out.printf(
        "%s: seeds %d to %d, %d crash images at %d instants%n",
        name, seed, seed + histories - 1, images, instants);
  }
}
