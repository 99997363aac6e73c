package io.vdisk.bench.engine;

import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** CPU of the threads that make requests for the length of an iteration. JMH adds the fields up. */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class SteadyCpu {
  public long cpuNanos;
  public long requests;
  private long start;
  private long made;

  /** Called by JMH. */
  @Setup(Level.Iteration)
  public void begin() {
    made = 0;
    start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  void count() {
    made++;
  }

  /** Called by JMH. */
  @TearDown(Level.Iteration)
  public void end() {
    // Of the whole iteration: JMH clears the fields within it.
    cpuNanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
    requests = made;
  }
}
