package io.vdisk.tools;

import io.vdisk.Progress;
import java.io.PrintStream;

/** Shows how far a copy is: a bar that is drawn over on a terminal, a line for each tenth else. */
final class ProgressBar implements Progress {
  private static final int WIDTH = 50;

  private final PrintStream out;
  private final boolean terminal;
  private int shown = -1;

  ProgressBar(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public boolean report(long done, long total) {
    int percent = percent(done, total);
    if (terminal && percent > shown) {
      shown = percent;
      out.print("\r" + bar(percent) + "  " + percent + " %" + (percent == 100 ? "\n" : ""));
      out.flush();
    } else if (!terminal && percent / 10 > shown) {
      shown = percent / 10;
      out.println(percent + " %");
    }
    return true;
  }

  static int percent(long done, long total) {
    return total == 0 ? 100 : (int) (100.0 * done / total);
  }

  /** Fifty columns between brackets. */
  static String bar(int percent) {
    int full = percent * WIDTH / 100;
    return "[" + "=".repeat(full) + " ".repeat(WIDTH - full) + "]";
  }
}
