package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class QemuBenchTest {
  /** As qemu-img 7.2 prints it. */
  private static final String PRINTED =
      """
      Sending 100000 read requests, 4096 bytes each, 16 in parallel (starting at offset 0, step size 1640681472)
      Run completed in 0.825 seconds.
      """;

  private static final Work READ = new Work(Operation.READ, "qcow2", 4096, "random");

  @Test
  void timeIsFound() throws IOException {
    assertEquals(0.825, QemuBench.seconds(PRINTED));
  }

  @Test
  void otherTextIsRefused() {
    assertThrows(IOException.class, () -> QemuBench.seconds("qemu-img: Could not open"));
  }

  @Test
  void oneThreadStandsBesideDepthOne() {
    assertEquals(
        List.of("qemu-img bench -d 1", "qemu-img bench -d 1 -i io_uring"),
        Peer.beside(READ, 1, false).stream().map(Peer::name).toList());
    assertEquals("qemu-img bench -d 16", Peer.beside(READ, 8, true).get(0).name());
  }
}
