package io.vdisk.bench.engine;

import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.ThreadParams;

/** One thread's requests: of T threads the t-th makes requests t, t+T, t+2T and so on. */
@State(Scope.Thread)
public class Turn {
  ByteBuffer buffer = Disk.buffer();
  private int first;
  private int threads;
  private long next;

  /** Called by JMH. */
  @Setup
  public void begin(ThreadParams params) {
    first = params.getThreadIndex();
    threads = params.getThreadCount();
    next = first;
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) 0x5a);
    }
  }

  /** The buffer, of {@code size} bytes. */
  ByteBuffer buffer(int size) {
    return buffer.clear().limit(size);
  }

  /** The number of the next request. */
  long next() {
    long k = next;
    next = k + threads;
    return k;
  }

  void again() {
    next = first;
  }
}
