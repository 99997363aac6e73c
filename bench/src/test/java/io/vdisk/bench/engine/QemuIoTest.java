package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class QemuIoTest {
  /** As qemu-io 7.2 prints it. */
  private static final String PRINTED =
      """
      qemu-io> 65536,1,0:00:00.00,302283639.987,4000.000
      qemu-io> 65536,1,0:00:00.00,17620202.577,250.000
      qemu-io>\s""";

  @Test
  void timeIsThatOfTheRequests() throws IOException {
    assertEquals(0.00425, QemuIo.seconds(PRINTED, 2), 1e-9);
  }

  @Test
  void missingAnswerIsNoticed() {
    assertThrows(IOException.class, () -> QemuIo.seconds(PRINTED, 3));
  }

  @Test
  void zeroingHasNoPeerThatMakesManyRequestsAtOnce() {
    Work zero = new Work(Operation.ZERO, "qcow2", 65_536, "random");

    assertEquals(
        List.of("qemu-io write -z -u"),
        Peer.beside(zero, 1, false).stream().map(Peer::name).toList());
    assertEquals(List.of(), Peer.beside(zero, 8, false));
  }
}
