package io.vdisk.bench.engine;

import io.vdisk.bench.host.Stopwatch;
import java.io.IOException;
import java.util.List;

/** A program of others that makes the same requests. */
interface Peer {
  /** For reports. */
  String name();

  /** One run, on the file that the benchmarks use or on a fresh one that is deleted again. */
  Rate run(Work work, Folder folder, Stopwatch stopwatch) throws IOException, InterruptedException;

  /**
   * Those to compare with so many threads: one request at a time beside one thread, else many.
   *
   * @param direct whether requests go past the page cache
   */
  static List<Peer> beside(Work work, int threads, boolean direct) {
    if (work.operation() == Operation.ZERO) {
      return threads == 1 ? List.of(new QemuIo(direct)) : List.of();
    }
    int depth = threads == 1 ? 1 : 16;
    return List.of(
        new QemuBench(depth, "threads", direct), new QemuBench(depth, "io_uring", direct));
  }
}
