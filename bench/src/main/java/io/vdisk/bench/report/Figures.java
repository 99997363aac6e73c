package io.vdisk.bench.report;

import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.util.Locale;
import java.util.Optional;

/** Figures as they stand in tables: with no more digits than they deserve. */
public final class Figures {
  private static final String NONE = "-";

  private Figures() {}

  public static String seconds(double seconds) {
    return String.format(Locale.ROOT, Math.abs(seconds) < 10 ? "%.3f" : "%.1f", seconds);
  }

  /** The median and the range. */
  public static String seconds(Sample sample) {
    return seconds(sample.median())
        + " ("
        + seconds(sample.min())
        + "-"
        + seconds(sample.max())
        + ")";
  }

  public static String ratio(double ratio) {
    return String.format(Locale.ROOT, ratio < 0.1 ? "%.3f" : ratio < 10 ? "%.2f" : "%.0f", ratio);
  }

  /** The median of the pairs, and the quartiles. */
  public static String ofPairs(Optional<Ratio> ratio) {
    return ratio
        .map(
            r ->
                ratio(r.median())
                    + " ("
                    + ratio(r.lowerQuartile())
                    + "-"
                    + ratio(r.upperQuartile())
                    + ")")
        .orElse(NONE);
  }

  public static String ofMinima(Optional<Ratio> ratio) {
    return ratio.map(r -> ratio(r.ofMinima())).orElse(NONE);
  }

  /** Nothing where there is nothing. */
  public static String mebibytes(double mebibytes) {
    return mebibytes == 0 ? NONE : String.format(Locale.ROOT, "%.1f", mebibytes);
  }
}
