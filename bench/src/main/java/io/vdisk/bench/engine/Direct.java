package io.vdisk.bench.engine;

/** Requests past the page cache. */
final class Direct {
  static final String REFUSAL =
      "O_DIRECT is not possible yet: host-linux, which opens files so, is not built";

  private Direct() {}

  /**
   * Refuses what is not built.
   *
   * @throws UnsupportedOperationException if it is asked for
   */
  static void check(boolean wanted) {
    if (wanted) {
      throw new UnsupportedOperationException(REFUSAL);
    }
  }
}
