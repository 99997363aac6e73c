package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ReferencesTest {
  private static final long CHUNK = 1 << 16;

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
  void referencesThatDoNotFitAByteAreCountedToo() {
    assertEquals(10, references.addFirst(0, 10, 126));
    assertEquals(0, references.addFirst(20, 10, 127), "that is for single clusters");
    references.add(3, 1L << 40);
    references.add(4);
    assertEquals(126, references.get(2));
    assertEquals(126 + (1L << 40), references.get(3));
    assertEquals(127, references.get(4));
    references.add(4);
    assertEquals(128, references.get(4));
    references.add(3, Long.MAX_VALUE);
    assertEquals(Long.MAX_VALUE, references.get(3));
  }

  @Test
  void rangeIsReferredToUpToTheFirstClusterThatWasBefore() {
    references.add(CHUNK + 5);

    assertEquals(15, references.addFirst(CHUNK - 10, 100, 1));

    assertEquals(1, references.get(CHUNK - 10));
    assertEquals(1, references.get(CHUNK + 4));
    assertEquals(1, references.get(CHUNK + 5));
    assertEquals(0, references.get(CHUNK + 6));
    assertEquals(CHUNK + 6, references.end());
  }

  @Test
  void clusterIsConfirmedThatIsReferredToOnce() {
    references.addFirst(0, 10, 1);
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
    assertEquals(Long.MAX_VALUE, references.next(0));
    references.add(1L << 40);
    assertEquals(1L << 40, references.next(0));
    assertEquals((1L << 40) + 9, references.next((1L << 40) + 9));
  }
}
