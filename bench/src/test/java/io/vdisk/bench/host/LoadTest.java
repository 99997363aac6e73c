package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadTest {
  /** As Linux prints it of a program with a cunning name. */
  private static final String OWN =
      "77 (a) b) S 1 2 3 4 5 6 7 8 9 10 110 20 3000 400 20 0 1 0 248694 2998272 388";

  @Test
  void waitingIsNotBusy() throws IOException {
    Load load =
        Load.parse(
            List.of(
                "cpu  100 20 3 9999 9999 4 5 600 70 7",
                "cpu0 50 10 1 4000 4000 2 2 300 35 3",
                "intr 12345"),
            OWN);

    assertEquals(new Load(1.32, 6, 35.3), load);
  }

  @Test
  void laterLoadIsWhatCameSince() {
    Load load = new Load(5.5, 1.25, 3).since(new Load(4, 1, 2.5));

    assertEquals(new Load(1.5, 0.25, 0.5), load);
    assertEquals(1, load.foreign());
  }

  @Test
  void otherTextIsRefused() {
    assertThrows(IOException.class, () -> Load.parse(List.of("cpu0 1 2 3 4 5 6 7 8 9 10"), OWN));
  }
}
