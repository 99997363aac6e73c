package io.vdisk.backend.tap;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What one sector may hold, by what was asked of it. A write hides an older one if that had its
 * response before this one was asked, or if a barrier of their queue lies between them; writes that
 * were under way together may have ended in either order. A discard leaves the sector as it was, or
 * zero.
 */
final class SectorHistory {
  /**
   * When something was asked.
   *
   * @param step among all that was asked and answered
   * @param queue where
   * @param epoch between which barriers of that queue
   */
  record Moment(long step, int queue, long epoch) {
    /** True if a barrier lies between this and what was asked then. */
    boolean isBarredFrom(Moment later) {
      return queue == later.queue && epoch < later.epoch;
    }
  }

  /** A write: when it was asked, and at which step it was answered. */
  static final class Write {
    private final long value;
    private final Moment asked;
    private boolean mayBeNone;
    private long answered = Long.MAX_VALUE;

    Write(long value, Moment asked, boolean isDiscard) {
      this.value = value;
      this.asked = asked;
      this.mayBeNone = isDiscard;
    }

    void answer(long step) {
      answered = step;
    }

    /** It was answered with an error, and was perhaps done before. */
    void fail(long step) {
      mayBeNone = true;
      answered = step;
    }

    @Override
    public String toString() {
      String end =
          answered == Long.MAX_VALUE ? "" : (mayBeNone ? " perhaps to " : " to ") + answered;
      return value + ": " + asked + end;
    }

    private boolean isUnderWay(Moment read) {
      return answered >= read.step && !asked.isBarredFrom(read);
    }

    private boolean hides(Write older) {
      return !mayBeNone && older.isBefore(asked);
    }

    private boolean isBefore(Moment moment) {
      return answered < moment.step || asked.isBarredFrom(moment);
    }
  }

  private final List<Write> writes = new ArrayList<>();

  SectorHistory() {
    Write zero = new Write(0, new Moment(-1, -1, 0), false);
    zero.answer(-1);
    writes.add(zero);
  }

  void add(Write write) {
    writes.add(write);
  }

  /** It was not done. */
  void remove(Write write) {
    writes.remove(write);
  }

  /**
   * True if a read may have found these values in the sector. More than one stand there only if one
   * of them was being written meanwhile: Linux copies a page out while it copies another in.
   */
  boolean mayHold(Set<Long> values, Moment read) {
    return values.stream().allMatch(value -> mayHold(value, read, false))
        && (values.size() == 1 || values.stream().anyMatch(value -> mayHold(value, read, true)));
  }

  private boolean mayHold(long value, Moment read, boolean isUnderWay) {
    for (Write write : writes) {
      if (write.value == value
          && !read.isBarredFrom(write.asked)
          && (!isUnderWay || write.isUnderWay(read))
          && !isHidden(write, read)) {
        return true;
      }
    }
    return false;
  }

  private boolean isHidden(Write older, Moment read) {
    return writes.stream().anyMatch(write -> write.hides(older) && write.isBefore(read));
  }

  @Override
  public String toString() {
    return writes.toString();
  }
}
