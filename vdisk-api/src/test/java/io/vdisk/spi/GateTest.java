package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.spi.Pause.Point;
import io.vdisk.spi.Stage.Act;
import io.vdisk.spi.Stage.Body;
import io.vdisk.spi.Stage.Stop;
import java.nio.channels.ClosedChannelException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The gate by itself. A comment "Guards" names what must be in {@link Gate} for the test to pass,
 * and the patch in {@code tools/mutate} that takes it out.
 */
class GateTest {
  private final Stage stage = new Stage();
  private final Gate gate = new Gate(stage);

  @Nested
  class Grace {
    /** Guards: the parity <em>before</em> the step is waited for (gate-wrong-parity). */
    @Test
    void aRequestHoldsTheGracePeriodThatBeganDuringIt() throws Exception {
      int slot = gate.enter();
      assertTrue(gate.beginGrace());

      assertFalse(gate.pollGrace());
      gate.exit(slot);
      assertTrue(gate.pollGrace());
    }

    /** Guards: a step changes the parity (gate-no-step). */
    @Test
    void aLaterRequestDoesNotHoldTheGracePeriod() throws Exception {
      int earlier = gate.enter();
      assertTrue(gate.beginGrace());
      int later = gate.enter();

      gate.exit(earlier);
      assertTrue(gate.pollGrace());
      gate.exit(later);
    }

    /**
     * A second step would let the first period's requests share a parity with those that nobody
     * waits for. Guards: the refusal in beginGrace (gate-overlap).
     */
    @Test
    void noGracePeriodBeginsWhileOneIsRunning() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();

      boolean overlapping = gate.beginGrace();
      assertFalse(gate.pollGrace(), "over, with a request of its time in progress");
      assertFalse(overlapping);
      gate.exit(slot);
    }

    @Test
    void aGracePeriodRunsUntilAPollHasTold() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      gate.exit(slot);

      assertFalse(gate.beginGrace());
      assertTrue(gate.pollGrace());
      assertTrue(gate.beginGrace());
    }

    /**
     * Counted under the parity that it read before the first period began, the request would look
     * to the second like one that came later. Guards: the second look at the epoch in enter
     * (gate-no-reread).
     */
    @Test
    void aRequestThatMissedAStepIsCountedAgain() throws Exception {
      Stop stop = stage.stopAt(Point.EPOCH_READ);
      Act<Integer> request = Stage.start(gate::enter);
      stop.awaitReached();
      gate.beginGrace();
      assertTrue(gate.pollGrace());
      stop.release();
      int slot = request.result();

      gate.beginGrace();
      assertFalse(gate.pollGrace(), "over, with a request of its time in progress");
      gate.exit(slot);
      assertTrue(gate.pollGrace());
    }

    /** Guards: the retreat lowers the counter that it raised (gate-no-retreat). */
    @Test
    void aRequestThatWasCountedAgainLeavesNoTrace() throws Exception {
      Stop stop = stage.stopAt(Point.COUNTED);
      Act<Integer> request = Stage.start(gate::enter);
      stop.awaitReached();
      gate.beginGrace();
      assertFalse(gate.pollGrace());
      stop.release();
      int slot = request.result();

      assertTrue(gate.pollGrace());
      gate.exit(slot);
    }

    /** Guards: every stripe is looked at (gate-forgets-a-stripe). */
    @Test
    void aRequestOnAnyStripeIsSeen() throws Exception {
      Set<Integer> slots = new HashSet<>();
      for (int stripe = 0; stripe < 64; stripe++) {
        int slot = enterAs(stripe);
        slots.add(slot);
        gate.beginGrace();
        assertFalse(gate.pollGrace(), "stripe " + stripe);
        gate.exit(slot);
        assertTrue(gate.pollGrace(), "stripe " + stripe);
      }
      assertEquals(64, slots.size());
    }

    /** Minus one and one on two stripes are no zero. */
    @Test
    void requestsOnOneStripeAreCountedTogether() throws Exception {
      int first = enterAs(7);
      int second = enterAs(7 + 64);
      gate.beginGrace();

      gate.exit(first);
      assertFalse(gate.pollGrace());
      gate.exit(second);
      assertTrue(gate.pollGrace());
    }

    /** The first epoch lies 51 steps before the end of the int. */
    @Test
    void anEpochThatWrapsIsLikeAnyOther() throws Exception {
      for (int i = 0; i < 200; i++) {
        int slot = gate.enter();
        assertTrue(gate.beginGrace());
        assertFalse(gate.pollGrace());
        gate.exit(slot);
        assertTrue(gate.pollGrace());
      }
    }
  }

  @Nested
  class AwaitedGrace {
    @Test
    void nothingIsAwaitedWhenNoPeriodIsRunning() throws Exception {
      int slot = gate.enter();
      Stage.run(gate::awaitGrace).result();
      gate.exit(slot);
    }

    /** Guards: exit wakes (gate-exit-wakes-nobody), and only once nobody is left. */
    @Test
    void theLastRequestOfItsTimeEndsTheWait() throws Exception {
      int first = gate.enter();
      int second = gate.enter();
      gate.beginGrace();
      Act<Void> waiter = Stage.run(gate::awaitGrace);
      stage.assertWaits(waiter, Point.GRACE_WAITS);

      gate.exit(first);
      assertFalse(waiter.isDone());
      gate.exit(second);
      waiter.result();
      assertTrue(gate.beginGrace(), "the wait has told the end");
    }

    /**
     * The awaited period ends and the next begins before the waiter has the lock again; a request
     * holds the next. Guards: the look at the epoch in awaitGrace (gate-awaits-the-next).
     */
    @Test
    void theNextPeriodIsNotAwaited() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      stage.once(
          Point.GRACE_WAITS,
          () -> {
            Stage.run(() -> gate.exit(slot)).awaitParked();
            assertTrue(gate.pollGrace());
            assertNotEquals(slot, enterUnchecked());
            assertTrue(gate.beginGrace());
          });

      Stage.run(gate::awaitGrace).result();
      assertFalse(gate.pollGrace());
    }

    /**
     * The request leaves when the waiter has looked but does not wait yet. Guards: watchers is
     * raised before the look (gate-await-looks-first).
     */
    @Test
    void aRequestThatLeavesBetweenLookAndWaitIsNotMissed() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      stage.once(Point.GRACE_WAITS, () -> Stage.run(() -> gate.exit(slot)).awaitParked());

      Stage.run(gate::awaitGrace).result();
    }
  }

  @Nested
  class Alone {
    /** Guards: the look at CLOSED in enter (gate-ignores-closed). */
    @Test
    void nobodyEntersWhileOneIsAlone() throws Exception {
      gate.closeExclusive();
      Act<Integer> request = Stage.start(gate::enter);
      stage.assertWaits(request, Point.ENTRANT_WAITS);

      gate.openExclusive();
      gate.exit(request.result());
    }

    /** Guards: the second look at the epoch in enter (gate-no-reread-closed). */
    @Test
    void aRequestThatMissedTheClosingStaysOut() throws Exception {
      Stop stop = stage.stopAt(Point.EPOCH_READ);
      Act<Integer> request = Stage.start(gate::enter);
      stop.awaitReached();
      gate.closeExclusive();
      stop.release();
      stage.assertWaits(request, Point.ENTRANT_WAITS);

      gate.openExclusive();
      gate.exit(request.result());
    }

    /** Guards: both parities are drained (gate-exclusive-drains-the-new-parity). */
    @Test
    void aRequestFromBeforeARunningGracePeriodIsWaitedFor() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      Act<Void> closer = Stage.run(gate::closeExclusive);
      stage.assertWaits(closer, Point.DRAINER_WAITS);

      gate.exit(slot);
      closer.result();
    }

    /** Guards: both parities are drained (gate-exclusive-drains-the-old-parity). */
    @Test
    void aRequestFromAfterARunningGracePeriodBeganIsWaitedFor() throws Exception {
      gate.beginGrace();
      int slot = gate.enter();
      Act<Void> closer = Stage.run(gate::closeExclusive);
      stage.assertWaits(closer, Point.DRAINER_WAITS);

      gate.exit(slot);
      closer.result();
    }

    /**
     * The request was counted before CLOSED was set, and sees it on its second look. Guards: the
     * retreat wakes as an exit does (gate-retreat-wakes-nobody).
     */
    @Test
    void aRequestInRetreatWakesWhoWantsToBeAlone() throws Exception {
      Stop stop = stage.stopAt(Point.COUNTED);
      Stage.start(gate::enter);
      stop.awaitReached();
      Act<Void> closer = Stage.run(gate::closeExclusive);
      stage.assertWaits(closer, Point.DRAINER_WAITS);

      stop.release();
      closer.result();
    }

    /** Guards: watchers is raised before the look (gate-drain-looks-first). */
    @Test
    void aRequestThatLeavesBetweenLookAndWaitIsNotMissed() throws Exception {
      int slot = gate.enter();
      stage.once(Point.DRAINER_WAITS, () -> Stage.run(() -> gate.exit(slot)).awaitParked());

      Stage.run(gate::closeExclusive).result();
    }

    /** Guards: the owner's passage in isAlone (gate-owner-waits). */
    @Test
    void whoIsAlonePassesWithoutASlot() throws Exception {
      Act<Integer> act =
          Stage.start(
              () -> {
                gate.closeExclusive();
                int slot = gate.enter();
                gate.exit(slot);
                gate.openExclusive();
                return slot;
              });

      assertEquals(Gate.NO_SLOT, act.result());
    }

    /** Guards: openExclusive wakes who waits for a turn too (gate-open-wakes-nobody). */
    @Test
    void exclusivesTakeTurns() throws Exception {
      gate.closeExclusive();
      Act<Void> second = Stage.run(gate::closeExclusive);
      stage.assertWaits(second, Point.TURN_WAITS);

      gate.openExclusive();
      second.result();
    }

    /** Guards: close ends the running period (gate-exclusive-leaves-grace). */
    @Test
    void everyGracePeriodHasEnded() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      Act<Boolean> act =
          Stage.start(
              () -> {
                gate.closeExclusive();
                return gate.beginGrace();
              });
      stage.assertWaits(act, Point.DRAINER_WAITS);

      gate.exit(slot);
      assertTrue(act.result());
    }

    /** Guards: the owner's word in isGraceOver (gate-owner-polls-counters). */
    @Test
    void aRequestInRetreatDoesNotHoldTheOwnersGracePeriod() throws Exception {
      Stop read = stage.stopAt(Point.EPOCH_READ);
      Stop counted = stage.stopAt(Point.COUNTED);
      Stage.start(gate::enter);
      read.awaitReached();
      gate.closeExclusive();
      read.release();
      counted.awaitReached();

      assertTrue(gate.beginGrace());
      assertTrue(gate.pollGrace());
      counted.release();
    }

    @Test
    void onlyTheOwnerOpens() throws Exception {
      gate.closeExclusive();

      ExecutionException e =
          assertThrows(ExecutionException.class, () -> Stage.run(gate::openExclusive).result());
      assertEquals(IllegalMonitorStateException.class, e.getCause().getClass());
    }

    @Test
    void theOwnerDoesNotCloseAgain() throws Exception {
      gate.closeExclusive();
      assertThrows(IllegalStateException.class, gate::closeExclusive);

      gate.openExclusive();
      gate.exit(gate.enter());
    }
  }

  @Nested
  class Shut {
    @Test
    void nobodyPassesAfterwards() {
      gate.shut();

      assertThrows(ClosedChannelException.class, gate::enter);
      assertThrows(ClosedChannelException.class, gate::closeExclusive);
    }

    @Test
    void requestsInProgressAreWaitedFor() throws Exception {
      int slot = gate.enter();
      Act<Void> shutter = Stage.run(gate::shut);
      stage.assertWaits(shutter, Point.DRAINER_WAITS);

      gate.exit(slot);
      shutter.result();
    }

    /** Guards: the look at shut in isAlone (gate-shut-leaves-waiting). */
    @Test
    void whoWaitedToEnterIsTurnedAway() throws Exception {
      int slot = gate.enter();
      Act<Void> shutter = Stage.run(gate::shut);
      stage.assertWaits(shutter, Point.DRAINER_WAITS);
      Act<Integer> request = Stage.start(gate::enter);
      stage.assertWaits(request, Point.ENTRANT_WAITS);

      gate.exit(slot);
      assertTurnedAway(request);
    }

    @Test
    void whoWaitedToBeAloneIsTurnedAway() throws Exception {
      int slot = gate.enter();
      Act<Void> shutter = Stage.run(gate::shut);
      stage.assertWaits(shutter, Point.DRAINER_WAITS);
      Act<Void> closer = Stage.run(gate::closeExclusive);
      stage.assertWaits(closer, Point.TURN_WAITS);

      gate.exit(slot);
      assertTurnedAway(closer);
    }

    @Test
    void theOwnerStaysAloneUntilItOpens() throws Exception {
      gate.closeExclusive();
      Act<Integer> request = Stage.start(gate::enter);
      stage.assertWaits(request, Point.ENTRANT_WAITS);
      gate.shut();
      assertTurnedAway(request);
      assertEquals(Gate.NO_SLOT, gate.enter());
      Act<Void> again = Stage.run(gate::shut);
      stage.assertWaits(again, Point.TURN_WAITS);

      gate.openExclusive();
      again.result();
      assertThrows(ClosedChannelException.class, gate::enter);
    }

    @Test
    void shuttingAgainDoesNothing() {
      gate.shut();
      gate.shut();

      assertThrows(ClosedChannelException.class, gate::enter);
    }

    private void assertTurnedAway(Act<?> act) {
      ExecutionException e = assertThrows(ExecutionException.class, act::result);
      assertEquals(ClosedChannelException.class, e.getCause().getClass());
    }
  }

  @Nested
  class AnInterruptStaysPending {
    @Test
    void inEnter() throws Exception {
      gate.closeExclusive();
      Act<Boolean> act = interruptedAfter(() -> gate.exit(gate.enter()), Point.ENTRANT_WAITS);

      gate.openExclusive();
      assertTrue(act.result());
    }

    @Test
    void inCloseExclusive() throws Exception {
      int slot = gate.enter();
      Act<Boolean> act = interruptedAfter(gate::closeExclusive, Point.DRAINER_WAITS);

      gate.exit(slot);
      assertTrue(act.result());
    }

    @Test
    void inTheWaitForATurn() throws Exception {
      gate.closeExclusive();
      Act<Boolean> act = interruptedAfter(gate::closeExclusive, Point.TURN_WAITS);

      gate.openExclusive();
      assertTrue(act.result());
    }

    @Test
    void inAwaitGrace() throws Exception {
      int slot = gate.enter();
      gate.beginGrace();
      Act<Boolean> act = interruptedAfter(gate::awaitGrace, Point.GRACE_WAITS);

      gate.exit(slot);
      assertTrue(act.result());
    }

    private Act<Boolean> interruptedAfter(Body body, Point point) throws Exception {
      Callable<Boolean> call =
          () -> {
            body.run();
            return Thread.interrupted();
          };
      Act<Boolean> act = Stage.start(call);
      stage.assertWaits(act, point);
      act.thread().interrupt();
      return act;
    }
  }

  private int enterUnchecked() {
    try {
      return gate.enter();
    } catch (ClosedChannelException e) {
      throw new AssertionError(e);
    }
  }

  /** Enters as a thread with the given number would; the slot may be given back by any thread. */
  private int enterAs(long id) throws InterruptedException {
    int[] slot = new int[1];
    Thread thread =
        new Thread() {
          @Override
          public long getId() {
            return id;
          }

          @Override
          public void run() {
            slot[0] = enterUnchecked();
          }
        };
    thread.start();
    thread.join();
    return slot[0];
  }
}
