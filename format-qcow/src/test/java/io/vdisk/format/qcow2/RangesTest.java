package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RangesTest {
  private final Ranges ranges = new Ranges();

  private List<String> parts() throws IOException {
    List<String> parts = new ArrayList<>();
    ranges.each((from, to, times) -> parts.add(from + "-" + to + "x" + times));
    return parts;
  }

  @Test
  void nothingIsInNoRange() throws IOException {
    ranges.add(5, 5);
    assertEquals(List.of(), parts());
  }

  @Test
  void everyPartComesOnceWithTheNumberOfRangesThatItLiesIn() throws IOException {
    ranges.add(10, 20);
    ranges.add(15, 30);
    ranges.add(10, 20);
    ranges.add(30, 40);
    ranges.add(50, 60);
    assertEquals(List.of("10-15x2", "15-20x3", "20-30x1", "30-40x1", "50-60x1"), parts());
  }

  @Test
  void manyRangesAgreeWithAnArray() throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    long[] times = new long[1000];
    for (int i = 0; i < 200; i++) {
      int from = random.nextInt(900);
      int to = from + random.nextInt(100);
      ranges.add(from, to);
      for (int at = from; at < to; at++) {
        times[at]++;
      }
    }
    ranges.each(
        (from, to, n) -> {
          for (long at = from; at < to; at++) {
            times[(int) at] -= n;
          }
        });
    for (long left : times) {
      assertEquals(0, left);
    }
  }
}
