package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.input.Input;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The two sides of one case in turn. A side that fails ends it. For one thread. */
final class Contest {
  /** How often a pair is measured again that others disturbed. */
  private static final int MORE_ATTEMPTS = 2;

  private final Case work;
  private final Bench bench;
  private final List<List<Pair>> series = new ArrayList<>();
  private List<Trial> trials = List.of();
  private Command peer;
  private int ourTimes = 1;
  private int peerTimes = 1;
  private Optional<String> failure = Optional.empty();

  Contest(Case work, Bench bench) {
    this.work = work;
    this.bench = bench;
    this.peer = work.peers().get(0);
    for (int i = 0; i < Math.max(1, work.inputs().size()); i++) {
      series.add(new ArrayList<>());
    }
  }

  String name() {
    return work.name();
  }

  Outcome outcome() {
    return new Outcome(work, peer, trials, series.stream().map(List::copyOf).toList(), failure);
  }

  /** Whether another pair is of use. */
  boolean isOpen(int round) {
    return failure.isEmpty() && round < work.mostPairs();
  }

  /** Runs our side once, which shows whether it can, and chooses the other's setting. */
  void prepare(Calibration calibration) throws InterruptedException {
    try {
      Measured first = bench.run(work, work.ours(), work.firstInput(), 1);
      ourTimes = Calibration.times(work, first.run().wall());
      if (work.isShort() || work.peers().size() > 1) {
        trials = calibration.trials(work);
        Trial best =
            trials.stream().min(Comparator.comparingDouble(t -> t.wall().min())).orElseThrow();
        peer = best.command();
        peerTimes = Calibration.times(work, best.wall().min());
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  /** One pair on each input. */
  void round(int number) throws InterruptedException {
    try {
      for (int i = 0; i < series.size(); i++) {
        Optional<Input> input =
            work.inputs().isEmpty() ? Optional.empty() : Optional.of(work.inputs().get(i));
        series.get(i).add(calmest(input, number % 2 == 0));
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  /** A pair that nobody disturbed, or the one that was disturbed least. */
  private Pair calmest(Optional<Input> input, boolean oursFirst)
      throws IOException, InterruptedException {
    Pair calmest = pair(input, oursFirst);
    for (int i = 0; i < MORE_ATTEMPTS && calmest.isDisturbed(); i++) {
      Pair next = pair(input, oursFirst);
      if (next.disturbance() < calmest.disturbance()) {
        calmest = next;
      }
    }
    return calmest;
  }

  private Pair pair(Optional<Input> input, boolean oursFirst)
      throws IOException, InterruptedException {
    if (oursFirst) {
      Measured ours = bench.run(work, work.ours(), input, ourTimes);
      return new Pair(ours, bench.run(work, peer, input, peerTimes));
    }
    Measured other = bench.run(work, peer, input, peerTimes);
    return new Pair(bench.run(work, work.ours(), input, ourTimes), other);
  }

  private void fail(IOException e) {
    failure = Optional.of(e.getMessage() == null ? e.toString() : e.getMessage());
  }
}
