package io.vdisk.bench.engine;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Requests that use a disk up. The time is that of a whole batch, of which each thread makes its
 * share; the report divides it.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2)
@Measurement(iterations = 3)
public class FreshBenchmark {
  private interface Request {
    void make(long offset) throws IOException;
  }

  @Benchmark
  public void allocate(Allocating fresh, Turn turn, BatchCpu cpu) throws IOException {
    run(fresh, turn, cpu, offset -> fresh.disk.write(turn.buffer(fresh.size), offset));
  }

  @Benchmark
  public void copyOnWrite(CopyingUp fresh, Turn turn, BatchCpu cpu) throws IOException {
    run(fresh, turn, cpu, offset -> fresh.disk.write(turn.buffer(fresh.size), offset));
  }

  @Benchmark
  public void zero(Zeroing fresh, Turn turn, BatchCpu cpu) throws IOException {
    run(fresh, turn, cpu, offset -> fresh.disk.zero(offset, fresh.size));
  }

  private static void run(Fresh fresh, Turn turn, BatchCpu cpu, Request request)
      throws IOException {
    turn.again();
    cpu.begin();
    long made = 0;
    for (long k = turn.next(); k < fresh.batch.count(); k = turn.next()) {
      request.make(fresh.batch.steps().offset(k));
      made++;
    }
    cpu.end(made);
  }
}
