package io.vdisk;

import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/** One thread's part in a copy: takes some steps after others until there are no more. */
final class CopyWorker {
  /** Steps that are taken at once: a turn for each costs more than a small one itself. */
  private static final int MOST_STEPS = 64;

  private final BlockDevice source;
  private final CopyPlan plan;
  private final CopyTurns turns;
  private final CopyRate rate;
  private final CopyPiece piece;
  private final CopyTarget target;

  CopyWorker(
      BlockDevice source,
      CopyPlan plan,
      CopyTurns turns,
      CopyRate rate,
      CopyPiece piece,
      CopyTarget target) {
    this.source = source;
    this.plan = plan;
    this.turns = turns;
    this.rate = rate;
    this.piece = piece;
    this.target = target;
  }

  /**
   * Works until the plan is done or something failed, which the turns then know.
   *
   * @param watcher told where each step ends that this worker has done; what it throws is thrown
   */
  void work(LongConsumer watcher) {
    for (long done = step(); done >= 0; done = step()) {
      watcher.accept(done);
    }
  }

  /** Some steps; the end of them, or -1 if there is nothing more to do. */
  private long step() {
    CopyPlan.Batch next = plan.take(turns.isSharing() ? 1 : MOST_STEPS);
    if (next == null) {
      return -1;
    }
    long number = next.number();
    try {
      List<CopyPlan.Step> rest = share(next);
      if (!rest.isEmpty()) {
        long copied = piece.load(rest).copied();
        if (!turns.await(number)) {
          return -1;
        }
        rate.await(copied, turns);
        if (!turns.await(number)) {
          return -1; // it was over meanwhile
        }
        target.write(piece, () -> turns.pass(number));
      }
      turns.pass(number);
      return next.end();
    } catch (IOException | RuntimeException | Error e) {
      // It fails when its turn has come, and no sooner: a step before it may fail, too.
      boolean unused = turns.await(number);
      turns.fail(number, e);
      return -1;
    }
  }

  /**
   * Shares what can be shared of a single step, in its turn; what is left to be done. The first
   * that finds that it cannot be done is the first in the order of the disk, so that the image is
   * the same however many threads there are.
   */
  private List<CopyPlan.Step> share(CopyPlan.Batch next) throws IOException {
    CopyPlan.Step step = next.steps().get(0);
    boolean mayShare =
        next.steps().size() == 1
            && step.action() == CopyPlan.Action.COPY
            && turns.isSharing()
            && turns.await(next.number())
            && turns.isSharing();
    if (!mayShare) {
      return next.steps();
    }
    long done = target.share(source, step, () -> turns.pass(next.number()));
    if (done == step.end()) {
      return List.of();
    }
    turns.stopSharing();
    return List.of(new CopyPlan.Step(step.action(), done, step.end() - done));
  }

  ImageCopy.Result result() {
    return target.result();
  }
}
