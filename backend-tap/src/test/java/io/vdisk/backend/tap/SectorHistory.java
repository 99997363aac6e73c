package io.vdisk.backend.tap;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What one sector may hold, by what was asked of it. A write hides an older one if that had its
 * response before this one was asked, or if a barrier lies between them; writes that were under way
 * together may have ended in either order. A discard leaves the sector as it was, or zero.
 */
final class SectorHistory {
  /** A write: when it was asked and answered, in steps, and between which barriers. */
  static final class Write {
    private final long value;
    private final long asked;
    private final long epoch;
    private final boolean isDiscard;
    private long answered = Long.MAX_VALUE;

    Write(long value, long asked, long epoch, boolean isDiscard) {
      this.value = value;
      this.asked = asked;
      this.epoch = epoch;
      this.isDiscard = isDiscard;
    }

    void answer(long step) {
      answered = step;
    }

    private boolean isUnderWay(long readAsked, long readEpoch) {
      return answered >= readAsked && epoch == readEpoch;
    }

    private boolean hides(Write older) {
      return !isDiscard && (older.answered < asked || older.epoch < epoch);
    }
  }

  private final List<Write> writes = new ArrayList<>();

  SectorHistory() {
    Write zero = new Write(0, -1, -1, false);
    zero.answer(-1);
    writes.add(zero);
  }

  void add(Write write) {
    writes.add(write);
  }

  /**
   * True if a read may have found these values in the sector. More than one stand there only if one
   * of them was being written meanwhile: Linux copies a page out while it copies another in.
   *
   * @param asked when the read was asked
   * @param epoch between which barriers
   */
  boolean mayHold(Set<Long> values, long asked, long epoch) {
    return values.stream().allMatch(value -> mayHold(value, asked, epoch, false))
        && (values.size() == 1
            || values.stream().anyMatch(value -> mayHold(value, asked, epoch, true)));
  }

  private boolean mayHold(long value, long asked, long epoch, boolean isUnderWay) {
    for (Write write : writes) {
      if (write.value == value
          && write.epoch <= epoch
          && (!isUnderWay || write.isUnderWay(asked, epoch))
          && !isHidden(write, asked, epoch)) {
        return true;
      }
    }
    return false;
  }

  private boolean isHidden(Write older, long asked, long epoch) {
    return writes.stream().anyMatch(w -> w.hides(older) && (w.answered < asked || w.epoch < epoch));
  }
}
