package io.vdisk;

import java.io.IOException;
import java.util.function.LongConsumer;

/** One thread's part in a copy: takes one step after another until there are no more. */
final class CopyWorker {
  private final CopyPlan plan;
  private final CopyTurns turns;
  private final CopyPiece piece;
  private final CopyTarget target;

  CopyWorker(CopyPlan plan, CopyTurns turns, CopyPiece piece, CopyTarget target) {
    this.plan = plan;
    this.turns = turns;
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

  /** One step; the end of it, or -1 if there is nothing more to do. */
  private long step() {
    CopyPlan.Numbered next = plan.take();
    if (next == null) {
      return -1;
    }
    long number = next.number();
    try {
      load(next);
      if (!turns.await(number)) {
        return -1;
      }
      target.write(piece, () -> turns.pass(number));
      turns.pass(number);
      return piece.step().end();
    } catch (IOException | RuntimeException | Error e) {
      turns.fail(number, e);
      return -1;
    }
  }

  /** What fails here fails when the step's turn has come: a step before it may fail, too. */
  private void load(CopyPlan.Numbered next) throws IOException {
    try {
      piece.load(next.step());
    } catch (IOException | RuntimeException | Error e) {
      boolean unused = turns.await(next.number());
      throw e;
    }
  }

  ImageCopy.Result result() {
    return target.result();
  }
}
