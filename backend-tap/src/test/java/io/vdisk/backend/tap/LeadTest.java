package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who leads, without anybody who serves. */
class LeadTest {
  private int threads = 1; // that the host lets start

  private void start() {
    if (threads-- == 0) {
      throw new OutOfMemoryError("unable to create native thread");
    }
  }

  private final Lead lead =
      new Lead(new PlayedTransport(() -> {}), new AtomicInteger(), 64, this::start, 0);

  @Test
  void whoFindsNobodyToPassTheLeadToKeepsIt() {
    lead.begin();
    lead.take();

    lead.pass();

    assertTrue(lead.isHeld());
    assertTrue(lead.leave(), "there was no other worker");
  }

  @Test
  void idleWorkerToWhomTheLeadIsPassedLeads() throws Exception {
    threads = 2;
    lead.begin();
    lead.begin();
    lead.take();
    FutureTask<Boolean> leads =
        new FutureTask<>(
            () -> {
              boolean stays = lead.takeAgain();
              lead.release();
              return stays;
            });
    Thread other = new Thread(leads);
    other.start();
    while (other.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }

    lead.pass();

    assertTrue(leads.get(), "nobody else looks at the ring while this one is busy");
  }
}
