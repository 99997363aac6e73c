package io.vdisk.bench.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class SampleTest {
  @Test
  void oneValueIsAllOfThem() {
    Sample sample = Sample.of(3.5);

    assertEquals(3.5, sample.min());
    assertEquals(3.5, sample.max());
    assertEquals(3.5, sample.median());
    assertEquals(3.5, sample.lowerQuartile());
    assertEquals(3.5, sample.upperQuartile());
  }

  @Test
  void medianOfAnOddNumberIsTheMiddleOne() {
    assertEquals(2, Sample.of(9, 1, 2).median());
  }

  @Test
  void medianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
    assertEquals(2.5, Sample.of(4, 1, 3, 2).median());
  }

  @Test
  void quartilesAreThoseOfNumPy() {
    Sample sample = Sample.of(List.of(7.0, 15.0, 36.0, 39.0, 40.0, 41.0));

    assertEquals(20.25, sample.lowerQuartile());
    assertEquals(39.75, sample.upperQuartile());
  }

  @Test
  void callersValuesKeepTheirOrder() {
    double[] values = {2, 1};

    Sample.of(values);

    assertEquals(2, values[0]);
  }

  @Test
  void sampleOfNothingIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Sample.of(List.of()));
  }
}
