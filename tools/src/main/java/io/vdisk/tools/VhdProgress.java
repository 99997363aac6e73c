package io.vdisk.tools;

import io.vdisk.Progress;
import java.io.PrintStream;
import java.util.Locale;

/** A percentage on one line, written over itself. One thread. */
final class VhdProgress implements Progress {
  private final PrintStream out;
  private String shown = "";

  VhdProgress(PrintStream out) {
    this.out = out;
  }

  @Override
  public boolean report(long done, long total) {
    double part = total == 0 ? 100 : 100.0 * done / total;
    String text = String.format(Locale.ROOT, "\r%6.2f%%", part);
    if (!text.equals(shown)) {
      out.print(text);
      shown = text;
    }
    if (done == total) {
      out.println();
    }
    out.flush();
    return true;
  }
}
