package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.input.Input;
import io.vdisk.bench.stats.Sample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tries the settings of the other side before the pairs; the fastest is the one to compare with.
 */
final class Calibration {
  /** How often each setting is tried, where there is a choice. */
  private static final int TRIALS = 3;

  /** Shorter runs of a short command are made many at once, until they take as long: seconds. */
  private static final double LONG_ENOUGH = 1;

  private static final int MOST_TIMES = 20;

  private record Question(List<Command> settings, Optional<Input> input) {}

  private final Bench bench;
  private final Map<Question, List<Trial>> known = new HashMap<>();

  Calibration(Bench bench) {
    this.bench = bench;
  }

  /** How the settings did on the first input; asked once for all cases that have them. */
  List<Trial> trials(Case work) throws IOException, InterruptedException {
    Question question = new Question(work.peers(), work.firstInput());
    List<Trial> trials = known.get(question);
    if (trials == null) {
      trials = measure(work);
      known.put(question, trials);
    }
    return trials;
  }

  private List<Trial> measure(Case work) throws IOException, InterruptedException {
    int rounds = work.peers().size() > 1 ? TRIALS : 1;
    Map<Command, List<Double>> walls = new HashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Command setting : work.peers()) {
        Measured measured = bench.run(work, setting, work.firstInput(), 1);
        walls.computeIfAbsent(setting, any -> new ArrayList<>()).add(measured.run().wall());
      }
    }
    return work.peers().stream()
        .map(setting -> new Trial(setting, Sample.of(walls.getOrDefault(setting, List.of()))))
        .toList();
  }

  /** How many runs to make at once of a command that takes {@code wall} seconds. */
  static int times(Case work, double wall) {
    return work.isShort() ? (int) Math.max(1, Math.min(MOST_TIMES, LONG_ENOUGH / wall)) : 1;
  }
}
