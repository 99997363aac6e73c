package io.vdisk.bench.engine;

import com.google.gson.Gson;
import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.bench.stats.Ratio;
import io.vdisk.bench.stats.Sample;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A program of its own that measures reads through the engine against reads of the same bytes from
 * the same open file.
 *
 * <p>A bound of a few percent is beyond the clock on the wall of a shared machine. So each thread
 * reads its own CPU clock around slices of about a millisecond: engine on bytes X, file on bytes Y,
 * file on X, engine on Y. Then both have read the same, each once after the other, and what slows
 * the machine down slows both. All threads do the same kind of slice at one time.
 */
public final class OverheadMeasurement {
  private static final int SLICE_BYTES = 8 << 20;
  private static final int MOST_REQUESTS = 1000;
  private static final int FEWEST_REQUESTS = 16;

  private final Work work;
  private final Steps steps;
  private final int requests;
  private final int rounds;
  private final int threads;
  private final CyclicBarrier barrier;

  private OverheadMeasurement(Work work, Folder folder, int threads, int rounds) {
    this.work = work;
    this.steps = Steps.of(work.order(), folder.bytes(), work.size());
    this.requests = Math.max(FEWEST_REQUESTS, Math.min(MOST_REQUESTS, SLICE_BYTES / work.size()));
    this.threads = threads;
    this.rounds = rounds;
    this.barrier = new CyclicBarrier(threads);
  }

  /** Takes the name of a case, a number of threads and one of rounds; prints JSON. */
  public static void main(String[] args) throws Exception {
    Work work =
        Work.all().stream().filter(any -> any.name().equals(args[0])).findFirst().orElseThrow();
    Folder folder = Folder.ofProperties();
    OpenOptions options = OpenOptions.readOnly().withFormat(work.format());
    try (BlockDevice device = Images.open(folder.fullPath(work.format()), options)) {
      OverheadMeasurement measurement =
          new OverheadMeasurement(
              work, folder, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
      System.out.println(new Gson().toJson(measurement.measure(device)));
    }
  }

  /** Requests from the {@code first} on. */
  private interface Slice {
    void read(ByteBuffer buffer, long first) throws IOException;
  }

  private Overhead measure(BlockDevice device)
      throws IOException, InterruptedException, ExecutionException {
    Places places = Places.of(device);
    // Two loops, so that the compiler sees one kind of file in each.
    Slice engine =
        (buffer, first) -> {
          for (long k = first; k < first + requests; k++) {
            device.read(buffer.clear().limit(work.size()), steps.offset(k));
          }
        };
    Slice bare =
        (buffer, first) -> {
          for (long k = first; k < first + requests; k++) {
            places.file().read(buffer.clear().limit(work.size()), places.at(steps.offset(k)));
          }
        };
    List<Double> ofEngine = new ArrayList<>();
    List<Double> ofBare = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<List<double[]>>> tasks = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int index = i;
        tasks.add(() -> slices(index, engine, bare));
      }
      for (Future<List<double[]>> done : pool.invokeAll(tasks)) {
        for (double[] pair : done.get()) {
          ofEngine.add(pair[0]);
          ofBare.add(pair[1]);
        }
      }
    } finally {
      pool.shutdown();
    }
    Ratio ratio = Ratio.of(ofEngine, ofBare).orElseThrow();
    return new Overhead(
        work.name(),
        threads,
        Sample.of(ofBare).median(),
        Sample.of(ofEngine).median(),
        ratio.median(),
        ratio.lowerQuartile(),
        ratio.upperQuartile(),
        ratio.pairs());
  }

  /** Nanoseconds a request, of the engine and of the file, once for each round. */
  private List<double[]> slices(int thread, Slice engine, Slice bare)
      throws IOException, InterruptedException, BrokenBarrierException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(work.size());
    List<double[]> slices = new ArrayList<>();
    // The first fifth is for the compiler.
    for (int round = -rounds / 5; round < rounds; round++) {
      long x = ((long) (round + rounds) * threads + thread) * 2 * requests;
      long y = x + requests;
      double ofEngine = nanos(engine, buffer, x);
      double ofBare = nanos(bare, buffer, y) + nanos(bare, buffer, x);
      ofEngine += nanos(engine, buffer, y);
      if (round >= 0) {
        slices.add(new double[] {ofEngine / 2 / requests, ofBare / 2 / requests});
      }
    }
    return slices;
  }

  private long nanos(Slice slice, ByteBuffer buffer, long first)
      throws IOException, InterruptedException, BrokenBarrierException {
    barrier.await();
    long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    slice.read(buffer, first);
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
  }
}
