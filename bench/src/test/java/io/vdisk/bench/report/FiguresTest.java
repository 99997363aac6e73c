package io.vdisk.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void digitsFollowTheSize() {
    assertEquals("0.045", Figures.seconds(0.0451));
    assertEquals("31.7", Figures.seconds(31.72));
    assertEquals("0.045", Figures.ratio(0.0451));
    assertEquals("0.45", Figures.ratio(0.451));
    assertEquals("45", Figures.ratio(45.1));
  }

  @Test
  void sampleIsItsMedianAndRange() {
    assertEquals("2.000 (1.000-10.0)", Figures.seconds(Sample.of(1, 2, 10)));
  }

  @Test
  void ratioIsItsMedianAndQuartiles() {
    Optional<Ratio> ratio = Optional.of(new Ratio(3, 1.1, 0.9, 1.2, 1.05));

    assertEquals("1.10 (0.90-1.20)", Figures.ofPairs(ratio));
    assertEquals("1.05", Figures.ofMinima(ratio));
    assertEquals("-", Figures.ofPairs(Optional.empty()));
  }

  @Test
  void nothingOnDiskIsADash() {
    assertEquals("-", Figures.mebibytes(0));
    assertEquals("111.9", Figures.mebibytes(111.94));
  }
}
