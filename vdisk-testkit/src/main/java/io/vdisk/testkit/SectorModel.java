package io.vdisk.testkit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Assertions;

/**
 * What each sector of a guest's disk may hold after a power cut: its last flushed value, or any
 * value that it was given since. One thread.
 *
 * <p>A change is announced before it begins, so that a cut inside it finds its value among those
 * allowed, and settled after it ended.
 */
final class SectorModel {
  static final int SECTOR = 512;

  private final long size;
  private final Untouched untouched;

  /** The flushed value, then every later one; sectors that no step touched are left out. */
  private final Map<Long, List<byte[]>> values = new HashMap<>();

  private final Set<Long> unflushed = new HashSet<>();

  /** The sectors that a step changed in part. */
  private final Set<Long> odd = new HashSet<>();

  /** What a sector holds that no step touched. */
  @FunctionalInterface
  interface Untouched {
    byte[] sector(long sector) throws IOException;
  }

  SectorModel(long size, Untouched untouched) {
    this.size = size;
    this.untouched = untouched;
  }

  long size() {
    return size;
  }

  /** The range is about to be changed to {@code bytes}, or perhaps not. */
  void announce(long offset, byte[] bytes) throws IOException {
    for (int done = 0; done < bytes.length; ) {
      long sector = (offset + done) / SECTOR;
      int within = (int) ((offset + done) % SECTOR);
      int length = Math.min(bytes.length - done, SECTOR - within);
      List<byte[]> known = known(sector);
      byte[] value = known.get(known.size() - 1).clone();
      System.arraycopy(bytes, done, value, within, length);
      known.add(value);
      unflushed.add(sector);
      boolean toTheEnd = within + length == SECTOR || offset + done + length == size;
      if (within != 0 || !toTheEnd) {
        odd.add(sector);
      }
      done += length;
    }
  }

  /**
   * A change that was free to happen or not is over: {@code found} is what the sector reads now.
   * One of the last two values must be.
   */
  void settle(long sector, byte[] found) throws IOException {
    List<byte[]> known = known(sector);
    int last = known.size() - 1;
    if (Arrays.equals(known.get(last), found)) {
      return;
    }
    if (last == 0 || !Arrays.equals(known.get(last - 1), found)) {
      Assertions.fail(mismatch(sector, found, known.subList(Math.max(0, last - 1), last + 1)));
    }
    known.add(known.get(last - 1));
  }

  /** A flush returned. */
  void flushed() {
    for (long sector : unflushed) {
      values.computeIfPresent(
          sector, (s, known) -> new ArrayList<>(known.subList(known.size() - 1, known.size())));
    }
    unflushed.clear();
  }

  /** Fails unless {@code found} is what was last written. */
  void checkCurrent(long sector, byte[] found) throws IOException {
    List<byte[]> known = allowed(sector);
    byte[] current = known.get(known.size() - 1);
    if (!Arrays.equals(current, found)) {
      Assertions.fail(mismatch(sector, found, List.of(current)));
    }
  }

  /** Fails unless {@code found} is allowed after a power cut now. */
  void checkSurvivor(long sector, byte[] found) throws IOException {
    List<byte[]> known = allowed(sector);
    for (byte[] value : known) {
      if (Arrays.equals(value, found)) {
        return;
      }
    }
    Assertions.fail(mismatch(sector, found, known));
  }

  /**
   * As {@link #checkSurvivor}, where the host may have torn the sector in which a file ends. Only a
   * guest that writes parts of sectors ends one there; it finds the flushed value or a later one in
   * each byte.
   */
  void checkTornSurvivor(long sector, byte[] found) throws IOException {
    if (!odd.contains(sector)) {
      checkSurvivor(sector, found);
      return;
    }
    List<byte[]> known = known(sector);
    for (int i = 0; i < SECTOR; i++) {
      int at = i;
      if (known.stream().noneMatch(value -> value[at] == found[at])) {
        Assertions.fail(mismatch(sector, found, known));
      }
    }
  }

  /** What a sector may hold; most are only looked at, and need not be remembered. */
  private List<byte[]> allowed(long sector) throws IOException {
    List<byte[]> known = values.get(sector);
    return known == null ? List.of(untouched.sector(sector)) : known;
  }

  private List<byte[]> known(long sector) throws IOException {
    List<byte[]> known = values.get(sector);
    if (known == null) {
      known = new ArrayList<>();
      known.add(untouched.sector(sector));
      values.put(sector, known);
    }
    return known;
  }

  /** Says, for each value that was allowed, where what was found first differs. */
  private static String mismatch(long sector, byte[] found, List<byte[]> allowed) {
    StringBuilder text =
        new StringBuilder("sector " + sector + " (offset " + sector * SECTOR + ")");
    text.append(" holds none of the values allowed, the oldest first:");
    for (byte[] value : allowed) {
      int at = Math.max(0, Arrays.mismatch(found, value)) & -Long.BYTES;
      text.append(" [").append(describe(value, at)).append("; but found at byte ").append(at);
      text.append(' ').append(describe(found, at)).append(']');
    }
    return text.toString();
  }

  private static String describe(byte[] sector, int at) {
    return Pattern.describe(ByteBuffer.wrap(sector).getLong(at));
  }
}
