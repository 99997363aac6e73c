package io.vdisk.testkit;

import java.io.IOException;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/**
 * The power cuts of one history: draws images and looks at them. An image that was looked at before
 * is made up for by another one at a later instant. One thread.
 */
final class CrashCuts {
  /** One image of so many is also opened for writing. */
  private static final int CONTINUED = 4;

  private final long seed;
  private final Afterwards afterwards;
  private final Set<Long> distinct;
  private final Set<Long> seenInStep = new HashSet<>();
  private int owed;
  private int drawn;
  private boolean failed;

  /**
   * No cuts so far.
   *
   * @param distinct the hashes of the images that were looked at, here and elsewhere; added to
   */
  CrashCuts(long seed, Afterwards afterwards, Set<Long> distinct) {
    this.seed = seed;
    this.afterwards = afterwards;
    this.distinct = distinct;
  }

  int drawn() {
    return drawn;
  }

  /** A step begins: an image that was right may be wrong from here on. */
  void stepBegins() {
    seenInStep.clear();
  }

  /**
   * An instant of the history.
   *
   * @param count images to draw, besides those that are owed
   * @param where for messages
   */
  void at(int instant, int count, CrashDisk disk, Guest guest, String where) throws IOException {
    if (failed) {
      return;
    }
    int all = count + owed;
    owed = 0;
    for (int i = 0; i < all; i++) {
      cut(new Random(seed * 31 + instant * 1009L + i), disk, guest, where + ", image " + i);
    }
  }

  private void cut(Random random, CrashDisk disk, Guest guest, String where) throws IOException {
    String kind = "random";
    CrashImage image;
    switch (random.nextInt(10)) {
      case 0 -> {
        kind = "losing all";
        image = disk.cutLosingAll();
      }
      case 1 -> {
        kind = "losing nothing";
        image = disk.cutLosingNothing();
      }
      default -> image = disk.cut(random);
    }
    drawn++;
    if (!distinct.add(image.hash())) {
      owed++;
    }
    if (!seenInStep.add(image.hash())) {
      return;
    }
    try {
      afterwards.examine(image, guest, random);
      if (random.nextInt(CONTINUED) == 0) {
        afterwards.goOn(KeptFile.of(image.files()), random);
      }
    } catch (AssertionError | IOException | RuntimeException e) {
      failed = true;
      throw new CutFailure(where + ", " + kind + ": " + e, e);
    }
  }

  /** An image that a cut left is wrong; says which. */
  static final class CutFailure extends AssertionError {
    private static final long serialVersionUID = 1;

    private CutFailure(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
