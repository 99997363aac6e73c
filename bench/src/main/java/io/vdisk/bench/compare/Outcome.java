package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What came of a case.
 *
 * @param peer the other side's command that the pairs were run with
 * @param trials how its settings did before; empty where there was no choice
 * @param series the pairs, for each input
 * @param failure why it ended early
 */
record Outcome(
    Case work,
    Command peer,
    List<Trial> trials,
    List<List<Pair>> series,
    Optional<String> failure) {

  /** One row; with a second input one for each, and one for their difference. */
  List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    if (!work.isSlope()) {
      if (!series.get(0).isEmpty()) {
        rows.add(Row.of(work.name(), series.get(0)));
      }
      return rows;
    }
    if (complete() > 0) {
      rows.add(Row.of(work.name() + ", small", small()));
      rows.add(Row.of(work.name() + ", large", large()));
      rows.add(Row.difference(work.name() + ", slope", small(), large()));
    }
    return rows;
  }

  /** How cost grows with size; empty where there is one size only. */
  Optional<Growth> growth() {
    return work.isSlope() && complete() > 0
        ? Optional.of(
            new Growth(
                work.name(),
                Row.growth(small(), large(), Pair::ours),
                Row.growth(small(), large(), Pair::peer)))
        : Optional.empty();
  }

  private int complete() {
    return Math.min(series.get(0).size(), series.get(1).size());
  }

  private List<Pair> small() {
    return series.get(0).subList(0, complete());
  }

  private List<Pair> large() {
    return series.get(1).subList(0, complete());
  }
}
