package io.vdisk.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.bench.host.Run;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowTest {
  static Pair pair(double ours, double peer) {
    return new Pair(measured(ours, 0), measured(peer, 0));
  }

  private static Measured measured(double wall, double foreign) {
    return new Measured(new Run(wall, wall / 2, 2048, foreign, 0, wall), 3 << 20);
  }

  @Test
  void rowSaysWhatThePairsSay() {
    Row row = Row.of("x", List.of(pair(1, 2), pair(3, 3), pair(8, 4)));

    assertEquals(3, row.ours().wall().median());
    assertEquals(1.5, row.ours().cpu().median());
    assertEquals(2, row.ours().peakMib());
    assertEquals(3, row.ours().diskMib());
    assertEquals(1, row.wall().orElseThrow().median());
    assertEquals(0.5, row.wall().orElseThrow().ofMinima());
    assertEquals(0, row.disturbed());
  }

  @Test
  void slopeIsTheDifferenceWithinPairs() {
    Row row = Row.difference("x", List.of(pair(1, 1), pair(2, 1)), List.of(pair(3, 5), pair(4, 3)));

    assertEquals(2, row.ours().wall().median());
    assertEquals(3, row.peer().wall().median());
    assertEquals(0.75, row.wall().orElseThrow().median());
    // 3 - 1 to 3 - 1: differences of minima, not the least difference.
    assertEquals(1, row.wall().orElseThrow().ofMinima());
  }

  @Test
  void slopeOfNothingHasNoRatio() {
    Row row = Row.difference("x", List.of(pair(1, 2)), List.of(pair(2, 1)));

    assertTrue(row.wall().isEmpty());
  }

  @Test
  void disturbedPairsAreCounted() {
    Pair disturbed = new Pair(measured(1, 0.5), measured(1, 0));

    assertEquals(1, Row.of("x", List.of(pair(1, 1), disturbed)).disturbed());
    assertFalse(pair(1, 1).isDisturbed());
  }
}
