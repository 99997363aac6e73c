package io.vdisk.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * One thing that a guest does in a history.
 *
 * @param stamp the step's number, from 1 on, and the stamp of the bytes that it writes
 */
record GuestStep(Kind kind, int stamp, long offset, int length) {
  /** What is done. A reopening closes the device, which flushes it. */
  enum Kind {
    WRITE,
    WRITE_ZEROES,
    DISCARD,
    FLUSH,
    REOPEN
  }

  /** The longest write: a host file that remembers every value shall not fill the memory. */
  private static final int MAX_WRITE = 192 << 10;

  /** Places that are written again and again: overwriting is where the order matters. */
  private static final int HOT_UNITS = 6;

  byte[] bytes() {
    return Pattern.bytes(stamp, offset, length);
  }

  @Override
  public String toString() {
    return "step " + stamp + " " + kind + " " + offset + "+" + length;
  }

  /**
   * A history: mostly small writes, of odd sizes and alignments, to few units and to the last one.
   *
   * @param unit bytes that the image allocates at a time
   */
  static List<GuestStep> history(Random random, int steps, long size, long unit) {
    long[] hot = new long[HOT_UNITS];
    for (int i = 1; i < hot.length; i++) {
      hot[i] = random.nextInt((int) ((size + unit - 1) / unit)) * unit;
    }
    hot[0] = (size - 1) / unit * unit;
    List<GuestStep> history = new ArrayList<>();
    for (int stamp = 1; stamp <= steps; stamp++) {
      history.add(step(random, stamp, size, unit, hot[random.nextInt(hot.length)]));
    }
    return history;
  }

  /** A step near the unit that begins at {@code place}. */
  static GuestStep step(Random random, int stamp, long size, long unit, long place) {
    int dice = random.nextInt(100);
    if (dice < 14) {
      return new GuestStep(Kind.FLUSH, stamp, 0, 0);
    }
    if (dice < 18) {
      return new GuestStep(Kind.REOPEN, stamp, 0, 0);
    }
    if (dice < 42) {
      return zeroing(random, stamp, size, unit, place);
    }
    long offset = place;
    if (random.nextInt(4) != 0) {
      offset = Math.min(place + random.nextInt((int) unit), size - 1);
    }
    long length =
        switch (random.nextInt(6)) {
          case 0 -> 1L + random.nextInt(700);
          case 1 -> (1L + random.nextInt(4)) * SectorModel.SECTOR;
          case 2 -> 4096;
          case 3 -> Math.min(unit, MAX_WRITE);
          case 4 -> 1L + random.nextInt((int) Math.min(3 * unit, MAX_WRITE));
          default -> 1L + random.nextInt(9000);
        };
    if (random.nextInt(3) != 0) {
      offset &= -SectorModel.SECTOR;
    }
    if (random.nextInt(8) == 0) {
      offset = Math.max(0, size - length);
    }
    return new GuestStep(Kind.WRITE, stamp, offset, (int) Math.min(length, size - offset));
  }

  private static GuestStep zeroing(Random random, int stamp, long size, long unit, long place) {
    Kind kind = random.nextBoolean() ? Kind.WRITE_ZEROES : Kind.DISCARD;
    long offset = place;
    long length = unit * (1L + random.nextInt(2));
    if (random.nextInt(3) == 0) {
      offset = Math.min(place + random.nextInt((int) unit), size - 1);
      length = 1L + random.nextInt((int) unit);
    }
    return new GuestStep(kind, stamp, offset, (int) Math.min(length, size - offset));
  }
}
