package io.vdisk.bench.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** Requests that find their tables in memory and the file in the page cache. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class SteadyBenchmark {
  @Benchmark
  public int read(Steady steady, Turn turn, SteadyCpu cpu) throws IOException {
    cpu.count();
    ByteBuffer buffer = turn.buffer(steady.size);
    steady.disk.read(buffer, steady.steps.offset(turn.next()));
    return buffer.position();
  }

  @Benchmark
  public void write(Steady steady, Turn turn, SteadyCpu cpu) throws IOException {
    cpu.count();
    steady.disk.write(turn.buffer(steady.size), steady.steps.offset(turn.next()));
  }
}
