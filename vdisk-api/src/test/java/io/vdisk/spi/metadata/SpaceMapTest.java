package io.vdisk.spi.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class SpaceMapTest {
  private enum What {
    ADD,
    REMOVE,
    TAKE
  }

  private record Step(What what, int offset, int length) {}

  @Test
  void takesTheFirstRunThatIsLargeEnough() {
    SpaceMap map = new SpaceMap();
    map.add(10, 2);
    map.add(20, 8);
    assertEquals(new SpaceMap.Run(20, 5), map.take(4, 5));
    assertEquals(new SpaceMap.Run(10, 2), map.take(1, 5));
    assertNull(map.take(4, 5));
    assertEquals(3, map.bytes());
  }

  @Property(tries = 300)
  void behavesAsASetOfBytes(@ForAll("histories") List<Step> history) {
    SpaceMap map = new SpaceMap();
    BitSet model = new BitSet();
    for (Step step : history) {
      int end = step.offset + step.length;
      switch (step.what) {
        case ADD -> {
          map.add(step.offset, step.length);
          model.set(step.offset, end);
        }
        case REMOVE -> {
          map.remove(step.offset, step.length);
          model.clear(step.offset, end);
        }
        case TAKE -> {
          SpaceMap.Run run = map.take(step.length, step.length + 3);
          if (run == null) {
            assertTrue(longestRun(model) < step.length);
          } else {
            assertNotNull(run);
            int from = (int) run.offset();
            int to = (int) (run.offset() + run.length());
            assertTrue(run.length() >= step.length && run.length() <= step.length + 3);
            assertEquals(run.length(), model.get(from, to).cardinality());
            model.clear(from, to);
          }
        }
      }
      assertEquals(model.cardinality(), map.bytes());
    }
  }

  @Provide
  Arbitrary<List<Step>> histories() {
    return Combinators.combine(
            Arbitraries.of(What.class),
            Arbitraries.integers().between(0, 60),
            Arbitraries.integers().between(1, 12))
        .as(Step::new)
        .list()
        .ofMaxSize(60);
  }

  private static int longestRun(BitSet set) {
    int longest = 0;
    for (int start = set.nextSetBit(0); start >= 0; ) {
      int end = set.nextClearBit(start);
      longest = Math.max(longest, end - start);
      start = set.nextSetBit(end);
    }
    return longest;
  }
}
