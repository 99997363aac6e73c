package io.vdisk.bench.engine;

import io.vdisk.bench.host.Load;
import io.vdisk.bench.host.Stopwatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** All who make the same requests: the engine, the bare files, QEMU. */
record Contestants(Jmh jmh, Folder folder, Stopwatch stopwatch) {
  private interface Run {
    Rate run() throws IOException, InterruptedException;
  }

  private record Contestant(String name, Run run) {}

  /**
   * One round: each once, in an order by chance, each right after another.
   *
   * @return what failed
   */
  List<String> run(Entry entry, Random random) throws InterruptedException {
    List<Contestant> all = of(entry);
    all.forEach(contestant -> entry.expect(contestant.name));
    Collections.shuffle(all, random);
    List<String> failures = new ArrayList<>();
    for (Contestant contestant : all) {
      try {
        entry.add(contestant.name, measured(contestant));
      } catch (IOException e) {
        failures.add(entry.work().name() + ", " + contestant.name + ": " + e.getMessage());
      }
    }
    return failures;
  }

  private static Rate measured(Contestant contestant) throws IOException, InterruptedException {
    Load before = Load.now();
    long start = System.nanoTime();
    Rate rate = contestant.run.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    Load load = Load.now().since(before);
    return rate.beside((load.foreign() + load.stolen()) / seconds);
  }

  private List<Contestant> of(Entry entry) {
    Work work = entry.work();
    List<Contestant> all = new ArrayList<>();
    for (Subject subject : jmh.subjects()) {
      all.add(new Contestant(subject.word(), () -> jmh.run(work, subject, entry.threads())));
    }
    for (Peer peer : Peer.beside(work, entry.threads(), jmh.direct())) {
      all.add(new Contestant(peer.name(), () -> peer.run(work, folder, stopwatch)));
    }
    return all;
  }
}
