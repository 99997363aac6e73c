package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertTrue;

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
      new Lead(new PlayedTransport(() -> {}), new AtomicInteger(), 64, this::start);

  @Test
  void whoFindsNobodyToPassTheLeadToKeepsIt() {
    lead.begin();
    lead.take();

    lead.pass();

    assertTrue(lead.isHeld());
    assertTrue(lead.leave(), "there was no other worker");
  }
}
