package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

class SectorHistoryTest {
  private final SectorHistory history = new SectorHistory();

  private static SectorHistory.Moment at(long step, long epoch) {
    return new SectorHistory.Moment(step, 0, epoch);
  }

  private SectorHistory.Write write(long value, long asked, long epoch) {
    SectorHistory.Write write = new SectorHistory.Write(value, at(asked, epoch), false);
    history.add(write);
    return write;
  }

  @Test
  void answeredWriteHidesWhatWasBefore() {
    write(1, 0, 0).answer(1);
    assertTrue(history.mayHold(Set.of(1L), at(2, 0)));
    assertFalse(history.mayHold(Set.of(0L), at(2, 0)));
  }

  @Test
  void writesThatWereUnderWayTogetherMayHaveEndedInEitherOrder() {
    SectorHistory.Write first = write(1, 0, 0);
    write(2, 1, 0).answer(2);
    first.answer(3);
    assertTrue(history.mayHold(Set.of(1L), at(4, 0)));
    assertTrue(history.mayHold(Set.of(2L), at(4, 0)));
  }

  @Test
  void sectorIsTornOnlyByWriteUnderWay() {
    SectorHistory.Write write = write(1, 0, 0);
    assertTrue(history.mayHold(Set.of(0L, 1L), at(1, 0)));
    assertFalse(history.mayHold(Set.of(0L, 2L), at(1, 0)), "never written");
    write.answer(2);
    assertTrue(history.mayHold(Set.of(0L, 1L), at(1, 0)), "a read asked before the answer");
    assertFalse(history.mayHold(Set.of(0L, 1L), at(3, 0)));
  }

  @Test
  void answeredWritesLeaveNoTornSector() {
    SectorHistory.Write first = write(1, 0, 0);
    write(2, 1, 0).answer(2);
    first.answer(3);
    assertFalse(history.mayHold(Set.of(1L, 2L), at(4, 0)));
  }

  @Test
  void writeBeforeBarrierTearsNothingBehindIt() {
    write(1, 0, 0);
    assertFalse(history.mayHold(Set.of(0L, 1L), at(1, 1)));
    assertTrue(history.mayHold(Set.of(1L), at(1, 1)));
  }

  @Test
  void barrierOfAnotherQueueHidesNothing() {
    write(1, 0, 0);
    history.add(new SectorHistory.Write(2, new SectorHistory.Moment(1, 1, 1), false));
    SectorHistory.Moment read = new SectorHistory.Moment(2, 1, 2);
    assertTrue(history.mayHold(Set.of(1L), read));
    assertTrue(history.mayHold(Set.of(2L), read));
    assertFalse(history.mayHold(Set.of(0L), read), "a barrier of its own lies between");
  }

  @Test
  void writeThatFailedIsThereOrNot() {
    write(1, 0, 0).fail(1);
    assertTrue(history.mayHold(Set.of(0L), at(2, 0)));
    assertTrue(history.mayHold(Set.of(1L), at(2, 0)));
    assertFalse(history.mayHold(Set.of(0L, 1L), at(2, 0)));
  }

  @Test
  void writeThatWasNotDoneIsNotThere() {
    history.remove(write(1, 0, 0));
    assertFalse(history.mayHold(Set.of(1L), at(1, 0)));
  }
}
