package io.vdisk.bench.compare;

import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * A line of the report.
 *
 * @param wall ours to the other side's; empty where a difference of times is not above zero
 * @param cpu the same of CPU; empty too where the other side used none that could be measured
 * @param disturbed how many of the pairs say little, because others used the machine
 */
record Row(
    String name, Side ours, Side peer, Optional<Ratio> wall, Optional<Ratio> cpu, int disturbed) {
  private static final double MIB = 1 << 20;
  private static final double KIB_IN_A_MIB = 1024;

  /** Seconds of wall and CPU, peak memory in MiB, what was made in MiB on the host. */
  record Side(Sample wall, Sample cpu, double peakMib, double diskMib) {}

  static Row of(String name, List<Pair> pairs) {
    return new Row(
        name,
        side(pairs, Pair::ours),
        side(pairs, Pair::peer),
        Ratio.of(
            values(pairs, Pair::ours, Measured::wall), values(pairs, Pair::peer, Measured::wall)),
        Ratio.of(
            values(pairs, Pair::ours, Measured::cpu), values(pairs, Pair::peer, Measured::cpu)),
        disturbed(pairs));
  }

  /** What the large input took beyond the small one, pair by pair. */
  static Row difference(String name, List<Pair> small, List<Pair> large) {
    return new Row(
        name,
        difference(small, large, Pair::ours),
        difference(small, large, Pair::peer),
        ratio(small, large, Measured::wall),
        ratio(small, large, Measured::cpu),
        Math.max(disturbed(small), disturbed(large)));
  }

  /** How many times as long the large input took as the small one. */
  static Optional<Ratio> growth(
      List<Pair> small, List<Pair> large, Function<Pair, Measured> which) {
    return Ratio.of(values(large, which, Measured::wall), values(small, which, Measured::wall));
  }

  private static Side side(List<Pair> pairs, Function<Pair, Measured> which) {
    return new Side(
        Sample.of(values(pairs, which, Measured::wall)),
        Sample.of(values(pairs, which, Measured::cpu)),
        peak(pairs, which),
        disk(pairs, which));
  }

  private static Side difference(
      List<Pair> small, List<Pair> large, Function<Pair, Measured> which) {
    return new Side(
        Sample.of(differences(small, large, which, Measured::wall)),
        Sample.of(differences(small, large, which, Measured::cpu)),
        peak(large, which),
        disk(large, which) - disk(small, which));
  }

  private static List<Double> values(
      List<Pair> pairs, Function<Pair, Measured> which, ToDoubleFunction<Measured> quantity) {
    return pairs.stream().map(which).map(quantity::applyAsDouble).toList();
  }

  private static List<Double> differences(
      List<Pair> small,
      List<Pair> large,
      Function<Pair, Measured> which,
      ToDoubleFunction<Measured> quantity) {
    List<Double> differences = new ArrayList<>();
    for (int i = 0; i < small.size(); i++) {
      differences.add(
          quantity.applyAsDouble(which.apply(large.get(i)))
              - quantity.applyAsDouble(which.apply(small.get(i))));
    }
    return differences;
  }

  /** The minimum of a difference is that of the minima: a difference may be small by bad luck. */
  private static Optional<Ratio> ratio(
      List<Pair> small, List<Pair> large, ToDoubleFunction<Measured> quantity) {
    return Ratio.of(
        differences(small, large, Pair::ours, quantity),
        differences(small, large, Pair::peer, quantity),
        least(large, Pair::ours, quantity) - least(small, Pair::ours, quantity),
        least(large, Pair::peer, quantity) - least(small, Pair::peer, quantity));
  }

  private static double least(
      List<Pair> pairs, Function<Pair, Measured> which, ToDoubleFunction<Measured> quantity) {
    return Sample.of(values(pairs, which, quantity)).min();
  }

  private static double peak(List<Pair> pairs, Function<Pair, Measured> which) {
    return Sample.of(values(pairs, which, m -> m.run().peakKib() / KIB_IN_A_MIB)).max();
  }

  private static double disk(List<Pair> pairs, Function<Pair, Measured> which) {
    return Sample.of(values(pairs, which, m -> m.diskBytes() / MIB)).median();
  }

  private static int disturbed(List<Pair> pairs) {
    return (int) pairs.stream().filter(Pair::isDisturbed).count();
  }
}
