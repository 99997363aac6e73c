package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ReferencesTest {
  private static final long CHUNK = References.chunkEnd(0);

  private final References references = new References();

  @Test
  void everyReferenceCounts() {
    for (int i = 1; i <= 300; i++) {
      references.add(7);
      assertEquals(i, references.get(7));
    }
    assertEquals(0, references.get(6));
    assertEquals(8, references.end());
  }

  @Test
  void rangeIsReferredToUpToTheFirstClusterThatWasBefore() {
    references.add(CHUNK + 5);

    assertEquals(15, references.addFirst(CHUNK - 10, 100));

    assertEquals(1, references.get(CHUNK - 10));
    assertEquals(1, references.get(CHUNK + 4));
    assertEquals(1, references.get(CHUNK + 5));
    assertEquals(0, references.get(CHUNK + 6));
    assertEquals(CHUNK + 6, references.end());
  }

  @Test
  void clusterIsConfirmedThatIsReferredToOnce() {
    references.addFirst(0, 10);
    references.add(5);

    assertEquals(5, references.confirmOnce(0, 10));
    assertEquals(0, references.confirmOnce(5, 5));
    assertEquals(4, references.confirmOnce(6, 4));

    assertEquals(5, references.countConfirmed(0, 10));
    assertEquals(0, references.countConfirmed(5, 1));
    assertEquals(1, references.get(0), "and the count stays");
    assertEquals(2, references.get(5));
  }

  @Test
  void whatNobodyRefersToTakesNoMemory() {
    assertEquals(0, references.confirmOnce(1L << 40, 1L << 30));
    assertEquals(0, references.get(1L << 40));
    assertTrue(references.isEmptyChunk(1L << 40));
  }
}
