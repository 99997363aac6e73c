package io.vdisk.bench.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Requests of one kind by so many threads, and how fast each participant made them. */
final class Entry {
  private final Work work;
  private final int threads;
  private final Map<String, List<Rate>> rates = new LinkedHashMap<>();

  Entry(Work work, int threads) {
    this.work = work;
    this.threads = threads;
  }

  Work work() {
    return work;
  }

  int threads() {
    return threads;
  }

  /** Makes room for one, so that the report has them in this order. */
  void expect(String participant) {
    rates.putIfAbsent(participant, new ArrayList<>());
  }

  void add(String participant, Rate rate) {
    rates.computeIfAbsent(participant, any -> new ArrayList<>()).add(rate);
  }

  /** Of a participant, by rounds. */
  List<Rate> rates(String participant) {
    return List.copyOf(rates.getOrDefault(participant, List.of()));
  }

  /** Those that were measured. */
  List<String> participants() {
    return rates.keySet().stream().filter(name -> !rates(name).isEmpty()).toList();
  }
}
