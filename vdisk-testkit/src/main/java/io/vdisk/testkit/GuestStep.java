package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.feature.UnitWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
    /** Stores whole units, each compressed if that is less. */
    APPEND,
    WRITE_ZEROES,
    DISCARD,
    FLUSH,
    /** Not the guest's: see {@link Subject#alter}. */
    ALTER,
    REOPEN
  }

  /** The longest write: a host file that remembers every value shall not fill the memory. */
  private static final int MAX_WRITE = 192 << 10;

  /** Places that are written again and again: overwriting is where the order matters. */
  private static final int HOT_UNITS = 6;

  /** Each write whose stamp this divides stores compressed units, where the device can. */
  private static final int APPEND_EACH = 5;

  /** Each step whose stamp this divides changes the image as a whole, where the subject does. */
  private static final int ALTER_EACH = 6;

  /** A few units, which can share host space. */
  private static final int MAX_APPEND_UNITS = 4;

  /** The most that is compressed and not zero: to compress is slow. */
  private static final int MAX_APPEND = 8 << 10;

  byte[] bytes() {
    int patterned = kind == Kind.APPEND ? Math.min(length, MAX_APPEND) : length;
    return Arrays.copyOf(Pattern.bytes(stamp, offset, patterned), length);
  }

  @Override
  public String toString() {
    return "step " + stamp + " " + kind + " " + offset + "+" + length;
  }

  /**
   * A history: mostly small writes, of odd sizes and alignments, to few units and to the last one.
   */
  static List<GuestStep> history(Random random, int steps, BlockDevice device, boolean alters) {
    long size = device.size();
    long unit = Afterwards.unit(device);
    Optional<UnitWriter> units = device.feature(UnitWriter.class);
    long[] hot = new long[HOT_UNITS];
    for (int i = 1; i < hot.length; i++) {
      hot[i] = random.nextInt((int) ((size + unit - 1) / unit)) * unit;
    }
    hot[0] = (size - 1) / unit * unit;
    List<GuestStep> history = new ArrayList<>();
    for (int stamp = 1; stamp <= steps; stamp++) {
      GuestStep step = step(random, stamp, size, unit, hot[random.nextInt(hot.length)]);
      if (alters && stamp % ALTER_EACH == 0) {
        step = new GuestStep(Kind.ALTER, stamp, 0, 0);
      }
      boolean append = units.isPresent() && step.kind == Kind.WRITE && stamp % APPEND_EACH == 0;
      history.add(append ? step.append(units.get().unit(), size) : step);
    }
    return history;
  }

  /** A step near the unit that begins at {@code place}. */
  private static GuestStep step(Random random, int stamp, long size, long unit, long place) {
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

  /** A step that stores the units that this one writes to. */
  private GuestStep append(int unit, long size) {
    long start = offset - offset % unit;
    long most = Math.max(unit, Math.min((long) MAX_APPEND_UNITS * unit, MAX_APPEND));
    long wanted = Math.min(offset + length - start, most);
    long end = Math.min(start + (wanted + unit - 1) / unit * unit, size);
    return new GuestStep(Kind.APPEND, stamp, start, (int) (end - start));
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
