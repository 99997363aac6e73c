package io.vdisk.bench.stats;

import java.util.Arrays;
import java.util.Collection;

/** One quantity, measured at least once. Immutable. */
public final class Sample {
  private final double[] sorted;

  private Sample(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("a sample is of one value at least");
    }
    sorted = values;
    Arrays.sort(sorted);
  }

  public static Sample of(double... values) {
    return new Sample(values.clone());
  }

  public static Sample of(Collection<Double> values) {
    return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  public int size() {
    return sorted.length;
  }

  public double min() {
    return sorted[0];
  }

  public double max() {
    return sorted[sorted.length - 1];
  }

  public double median() {
    return quantile(0.5);
  }

  public double lowerQuartile() {
    return quantile(0.25);
  }

  public double upperQuartile() {
    return quantile(0.75);
  }

  /** Between two values the line from one to the other, as R and NumPy do by default. */
  private double quantile(double fraction) {
    double position = fraction * (sorted.length - 1);
    int below = (int) position;
    if (below == sorted.length - 1) {
      return sorted[below];
    }
    return sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
  }
}
