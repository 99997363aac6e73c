package io.vdisk.bench.stats;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How many times as much one side took as the other; below 1 the first is better.
 *
 * <p>The median is that of the ratios within pairs, because on a shared machine neighbours in time
 * compare and medians of whole series do not. The ratio of minima is beside it, because the least
 * time is the one that others disturbed least. A statement needs both.
 *
 * @param pairs how many pairs had a ratio
 * @param ofMinima the least of the first side divided by the least of the other
 */
public record Ratio(
    int pairs, double median, double lowerQuartile, double upperQuartile, double ofMinima) {

  /**
   * Of series in which values with one index are a pair. A pair whose other side is not above zero
   * (a difference may be so) has no ratio; empty if none has one.
   *
   * @throws IllegalArgumentException if the series are not equally long
   */
  public static Optional<Ratio> of(List<Double> first, List<Double> other) {
    return of(first, other, Sample.of(first).min(), Sample.of(other).min());
  }

  /** The same, with minima that are known otherwise. */
  public static Optional<Ratio> of(
      List<Double> first, List<Double> other, double firstMinimum, double otherMinimum) {
    if (first.size() != other.size()) {
      throw new IllegalArgumentException("series of " + first.size() + " and " + other.size());
    }
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      if (other.get(i) > 0) {
        ratios.add(first.get(i) / other.get(i));
      }
    }
    if (ratios.isEmpty()) {
      return Optional.empty();
    }
    Sample sample = Sample.of(ratios);
    return Optional.of(
        new Ratio(
            sample.size(),
            sample.median(),
            sample.lowerQuartile(),
            sample.upperQuartile(),
            firstMinimum / otherMinimum));
  }
}
