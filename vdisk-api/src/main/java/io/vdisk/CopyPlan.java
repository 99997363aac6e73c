package io.vdisk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a device into the steps of a copy, in ascending order and without gaps. Every step but the
 * last begins and ends at a multiple of the granule; a granule of which only a part is data is
 * data. {@link #take} may be called by many threads, {@link #next} by one.
 */
final class CopyPlan {
  /** Most bytes of a step that moves none: so that progress shows and cancelling works. */
  private static final long MOST_UNREAD = 1L << 30;

  /** What to do with a range. */
  enum Action {
    /** Read it and write what is not zero. */
    COPY,
    /** It reads as zero. */
    ZERO,
    /** The target reads the same already. */
    KEEP
  }

  /**
   * A range of guest bytes.
   *
   * @param action what to do
   * @param offset where it begins
   * @param length bytes, at least 1
   */
  record Step(Action action, long offset, long length) {
    long end() {
      return offset + length;
    }
  }

  private final Iterator<Extent> extents;
  private final long size;
  private final long granule;
  private final long mostCopied;
  private final int sharedBelow;
  private final boolean zeroesToo;

  private final ReentrantLock lock = new ReentrantLock();

  // Under lock:
  private long taken;
  private boolean over;

  /** A step that the last batch had no room for. */
  private @Nullable Step left;

  /** Where the next step begins; a multiple of the granule, or the end. */
  private long position;

  /** What the beginning of the granule at {@link #position} is, if an extent ended within it. */
  private @Nullable Action head;

  /** The rest of the extent that is being cut. */
  private @Nullable Step rest;

  /** A step that the next ones may continue. */
  private @Nullable Step pending;

  /**
   * Plans a copy of the whole device.
   *
   * @param granule a power of two
   * @param mostCopied most bytes of a step that copies, a multiple of the granule
   * @param sharedBelow what the source reads from images so many levels below it is to be kept
   * @param zeroesToo whether zeroes are copied like data
   */
  CopyPlan(BlockDevice source, long granule, long mostCopied, int sharedBelow, boolean zeroesToo) {
    this.extents = source.extents(0, source.size()).iterator();
    this.size = source.size();
    this.granule = granule;
    this.mostCopied = mostCopied;
    this.sharedBelow = sharedBelow;
    this.zeroesToo = zeroesToo;
  }

  /**
   * Steps that follow each other, and their place in the order of the disk.
   *
   * @param planned the steps; those that copy have no more bytes together than one may have
   * @param failure why there are none
   */
  record Batch(long number, List<Step> planned, @Nullable IOException failure) {
    List<Step> steps() throws IOException {
      if (failure != null) {
        throw failure;
      }
      return planned;
    }

    long end() {
      return planned.get(planned.size() - 1).end();
    }
  }

  /**
   * The next steps, which nobody else gets; null after the last, and after a failure.
   *
   * @param most steps; so that what is scattered does not cost a turn for each piece
   */
  @Nullable Batch take(int most) {
    lock.lock();
    try {
      if (over) {
        return null;
      }
      List<Step> steps = new ArrayList<>();
      long copied = 0;
      while (steps.size() < most) {
        Step step = left != null ? left : next();
        left = null;
        if (step == null) {
          over = true;
          break;
        }
        copied += step.action() == Action.COPY ? step.length() : 0;
        if (!steps.isEmpty()
            && (copied > mostCopied || step.end() - steps.get(0).offset() > MOST_UNREAD)) {
          left = step;
          break;
        }
        steps.add(step);
      }
      return steps.isEmpty() ? null : new Batch(taken++, steps, null);
    } catch (IOException e) {
      over = true;
      return new Batch(taken++, List.of(), e);
    } finally {
      lock.unlock();
    }
  }

  /** The next step; null after the last. */
  @Nullable Step next() throws IOException {
    while (true) {
      Step piece = cut();
      Step before = pending;
      if (before == null) {
        if (piece == null) {
          return null;
        }
        pending = piece;
      } else if (piece != null
          && piece.action() == before.action()
          && before.length() + piece.length() <= most(before.action())) {
        pending = new Step(before.action(), before.offset(), before.length() + piece.length());
      } else {
        pending = piece;
        return before;
      }
    }
  }

  private long most(Action action) {
    return action == Action.COPY ? mostCopied : MOST_UNREAD;
  }

  /** The next range of whole granules of one kind; null at the end. */
  private @Nullable Step cut() throws IOException {
    while (position < size) {
      Step extent = rest != null ? rest : extent();
      rest = extent;
      if (head != null) {
        if (head != extent.action()) {
          head = Action.COPY;
        }
        long granuleEnd = Math.min(position + granule, size);
        if (extent.end() < granuleEnd) {
          rest = null;
          continue;
        }
        return emit(head, granuleEnd);
      }
      long end = extent.end() == size ? size : extent.end() & -granule;
      if (end > position) {
        return emit(extent.action(), Math.min(end, position + most(extent.action())));
      }
      if (extent.end() > position) {
        head = extent.action();
      }
      rest = null;
    }
    return null;
  }

  private Step emit(Action action, long end) {
    Step step = new Step(action, position, end - position);
    position = end;
    head = null;
    return step;
  }

  private Step extent() throws IOException {
    try {
      Extent extent = extents.next();
      Action action =
          extent.depth() >= sharedBelow
              ? Action.KEEP
              : extent.readsAsZero() && !zeroesToo ? Action.ZERO : Action.COPY;
      return new Step(action, extent.offset(), extent.length());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
