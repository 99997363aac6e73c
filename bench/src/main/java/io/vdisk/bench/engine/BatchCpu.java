package io.vdisk.bench.engine;

import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * CPU of the threads that make a batch of requests, without that of making and closing the disk:
 * JMH lets all threads but one spin meanwhile. JMH adds the fields up.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class BatchCpu {
  public long cpuNanos;
  public long requests;
  private long start;

  void begin() {
    start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  void end(long made) {
    cpuNanos += ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
    requests += made;
  }
}
