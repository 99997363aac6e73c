package io.vdisk.bench.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StepsTest {
  private static final long GIB = 1L << 30;

  @Test
  void randomStepIsThatOfTheBaselines() {
    assertEquals(1_640_681_472, Steps.random(4 * GIB, 4096).step());
    assertEquals(1_640_693_760, Steps.random(4 * GIB, 65_536).step());
  }

  @Test
  void eachUnitIsVisitedOnceBeforeAnyIsAgain() {
    Steps steps = Steps.of("random", 1 << 20, 4096);
    Set<Long> visited = new HashSet<>();

    for (long k = 0; k < 256; k++) {
      visited.add(steps.offset(k));
    }

    assertEquals(256, visited.size());
    assertEquals(steps.offset(0), steps.offset(256));
  }

  @Test
  void sequentialRequestsFollowEachOtherAndBeginAgain() {
    Steps steps = Steps.of("sequential", 3 * 4096, 4096);

    assertEquals(4096, steps.offset(1));
    assertEquals(8192, steps.offset(2));
    assertEquals(0, steps.offset(3));
  }
}
