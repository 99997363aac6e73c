package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The matrix is what it says. */
class CombinationTest {
  @Test
  void fourHundredHaveEveryPairOfValues() {
    assertTrue(Combination.covering(1) <= 400, "pairs take " + Combination.covering(1));
  }

  @Test
  void chosenOnesAreAllowedAndDiffer() {
    List<Combination> chosen = Combination.choose(400, 1);
    assertEquals(400, new HashSet<>(chosen).size());
    assertTrue(chosen.stream().allMatch(Combination::isAllowed));
  }

  @Test
  void sameSeedChoosesTheSame() {
    assertEquals(Combination.choose(40, 7), Combination.choose(40, 7));
  }
}
