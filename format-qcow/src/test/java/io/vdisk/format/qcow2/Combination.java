package io.vdisk.format.qcow2;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * One choice of everything that an image can be, by values of creation options.
 *
 * @param values one for each of {@link #AXES}
 */
record Combination(List<String> values) {
  /** What there is to choose, and the values of each. */
  static final List<List<String>> AXES =
      List.of(
          List.of("cluster_size", "512", "4k", "16k", "64k", "2M"),
          List.of("refcount_bits", "1", "2", "4", "8", "16", "32", "64"),
          List.of("compat", "1.1", "0.10"),
          List.of("extended_l2", "off", "on"),
          List.of("compression", "none", "zlib", "zstd"),
          List.of("encryption", "none", "aes", "luks"),
          List.of("data_file", "none", "plain", "raw"),
          List.of("backing", "none", "raw", "qcow2"));

  String get(String axis) {
    for (int i = 0; i < AXES.size(); i++) {
      if (AXES.get(i).get(0).equals(axis)) {
        return values.get(i);
      }
    }
    throw new IllegalArgumentException(axis);
  }

  boolean is(String axis, String value) {
    return get(axis).equals(value);
  }

  /** Whether the specification allows it, and what QEMU makes of it is defined. */
  boolean isAllowed() {
    boolean isVersion2 = is("compat", "0.10");
    boolean isPlain = is("data_file", "none");
    return !(isVersion2
            && (!is("refcount_bits", "16")
                || is("extended_l2", "on")
                || is("compression", "zstd")
                || !isPlain))
        && !(is("extended_l2", "on") && (is("cluster_size", "512") || is("cluster_size", "4k")))
        && !(!is("compression", "none") && (!is("encryption", "none") || !isPlain))
        && !(is("data_file", "raw") && !is("backing", "none"));
  }

  private static List<Combination> allowed() {
    List<Combination> all = new ArrayList<>();
    add(new ArrayList<>(), all);
    return all;
  }

  private static void add(List<String> begun, List<Combination> all) {
    if (begun.size() == AXES.size()) {
      Combination whole = new Combination(List.copyOf(begun));
      if (whole.isAllowed()) {
        all.add(whole);
      }
      return;
    }
    List<String> axis = AXES.get(begun.size());
    for (String value : axis.subList(1, axis.size())) {
      begun.add(value);
      add(begun, all);
      begun.remove(begun.size() - 1);
    }
  }

  /** All that two axes say of it. */
  private Set<String> pairs() {
    Set<String> pairs = new LinkedHashSet<>();
    for (int i = 0; i < values.size(); i++) {
      for (int j = i + 1; j < values.size(); j++) {
        pairs.add(i + "=" + values.get(i) + " " + j + "=" + values.get(j));
      }
    }
    return pairs;
  }

  /**
   * So many of the allowed ones: first those that together have every pair of values that any
   * allowed one has, then others, by chance.
   */
  static List<Combination> choose(int count, long seed) {
    List<Combination> left = allowed();
    Collections.shuffle(left, new Random(seed));
    Set<String> wanted = new LinkedHashSet<>();
    left.forEach(combination -> wanted.addAll(combination.pairs()));
    List<Combination> chosen = new ArrayList<>();
    while (chosen.size() < count && !wanted.isEmpty()) {
      Combination best = left.get(0);
      int most = -1;
      for (Combination candidate : left) {
        Set<String> fresh = candidate.pairs();
        fresh.retainAll(wanted);
        if (fresh.size() > most) {
          most = fresh.size();
          best = candidate;
        }
      }
      left.remove(best);
      wanted.removeAll(best.pairs());
      chosen.add(best);
    }
    chosen.addAll(left.subList(0, Math.max(0, Math.min(left.size(), count - chosen.size()))));
    return chosen;
  }

  /** How many combinations it takes to have every pair. */
  static int covering(long seed) {
    List<Combination> some = choose(Integer.MAX_VALUE, seed);
    Set<String> wanted = new LinkedHashSet<>();
    some.forEach(combination -> wanted.addAll(combination.pairs()));
    int count = 0;
    while (!wanted.isEmpty()) {
      wanted.removeAll(some.get(count++).pairs());
    }
    return count;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < values.size(); i++) {
      text.append(i == 0 ? "" : ",").append(AXES.get(i).get(0)).append('=').append(values.get(i));
    }
    return text.toString();
  }
}
