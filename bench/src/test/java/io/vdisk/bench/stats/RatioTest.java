package io.vdisk.bench.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RatioTest {
  @Test
  void medianIsOfTheRatiosAndNotOfTheSeries() {
    Ratio ratio = Ratio.of(List.of(1.0, 20.0, 3.0), List.of(2.0, 10.0, 3.0)).orElseThrow();

    assertEquals(1, ratio.median());
    assertEquals(0.75, ratio.lowerQuartile());
    assertEquals(1.5, ratio.upperQuartile());
    assertEquals(3, ratio.pairs());
  }

  @Test
  void minimaNeedNotBeOfOnePair() {
    assertEquals(0.5, Ratio.of(List.of(1.0, 4.0), List.of(3.0, 2.0)).orElseThrow().ofMinima());
  }

  @Test
  void pairWhoseOtherSideIsNotAboveZeroHasNoRatio() {
    Ratio ratio = Ratio.of(List.of(1.0, 1.0, 6.0), List.of(0.0, -1.0, 2.0), 1, 2).orElseThrow();

    assertEquals(new Ratio(1, 3, 3, 3, 0.5), ratio);
    assertEquals(Optional.empty(), Ratio.of(List.of(1.0), List.of(0.0)));
  }

  @Test
  void seriesOfDifferentLengthAreNoPairs() {
    assertThrows(IllegalArgumentException.class, () -> Ratio.of(List.of(1.0), List.of(1.0, 2.0)));
  }
}
