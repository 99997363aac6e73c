package io.vdisk.bench.ring;

import java.util.List;

/**
 * One kind of load.
 *
 * @param isWrite whether it writes
 * @param size bytes of a request
 * @param depth requests that have no response yet, at most
 * @param requests of one run
 */
record RingCase(boolean isWrite, int size, int depth, int requests) {
  private static final int KIB = 1 << 10;

  /** All kinds; of so many requests, or an eighth of that where they are large. */
  static List<RingCase> all(int requests) {
    int fewer = requests / 8;
    return List.of(
        new RingCase(false, 4 * KIB, 1, requests),
        new RingCase(false, 4 * KIB, 4, requests),
        new RingCase(false, 4 * KIB, 32, requests),
        new RingCase(true, 4 * KIB, 1, requests),
        new RingCase(true, 4 * KIB, 32, requests),
        new RingCase(false, 64 * KIB, 1, fewer),
        new RingCase(false, 64 * KIB, 32, fewer),
        new RingCase(true, 64 * KIB, 1, fewer),
        new RingCase(true, 64 * KIB, 32, fewer));
  }

  String name() {
    return (isWrite ? "write-" : "read-") + size / KIB + "k-d" + depth;
  }

  /** What tells a guest what to do, on one line. */
  String order() {
    return isWrite + " " + size + " " + depth + " " + requests;
  }

  static RingCase parse(String order) {
    String[] words = order.split(" ", -1);
    return new RingCase(
        Boolean.parseBoolean(words[0]),
        Integer.parseInt(words[1]),
        Integer.parseInt(words[2]),
        Integer.parseInt(words[3]));
  }

  /** Where the {@code n}-th request goes: each place once before any again, in no order. */
  long offset(long n, long diskSize) {
    long places = diskSize / size;
    long step = (long) (places * 0.38) | 1;
    return Math.floorMod(n * step, places) * size;
  }
}
