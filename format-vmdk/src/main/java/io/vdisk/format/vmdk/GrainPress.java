package io.vdisk.format.vmdk;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.Deflater;

/**
 * Compresses grains in several threads and gives them out in the order in which they came: so the
 * image is the same however many threads there are. As RFC 1950 has it. Used by one thread.
 */
final class GrainPress implements Closeable {
  /** Grains under way for each thread, so that none waits for the one that writes. */
  private static final int AHEAD = 8;

  private static final int LEVEL = Deflater.DEFAULT_COMPRESSION;

  private final int grainSize;
  private final int most;
  private final ExecutorService threads;
  private final Queue<Deflater> deflaters = new ConcurrentLinkedQueue<>();
  private final Deque<Job> unused = new ArrayDeque<>();
  private final Deque<Job> underWay = new ArrayDeque<>();

  GrainPress(int grainSize, int count) {
    this.grainSize = grainSize;
    this.most = AHEAD * count;
    this.threads =
        Executors.newFixedThreadPool(
            count,
            task -> {
              Thread thread = new Thread(task, "vdisk-compress");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** One grain. */
  final class Job implements Runnable {
    private final byte[] bytes = new byte[grainSize];
    private final byte[] compressed = new byte[GrainCodec.mostBytes(grainSize)];
    private long grain;
    private int length;
    private Future<?> done = java.util.concurrent.CompletableFuture.completedFuture(null);

    /** The number of the grain. */
    long grain() {
      return grain;
    }

    /** The guest's bytes. */
    byte[] bytes() {
      return bytes;
    }

    /** The compressed bytes, of which {@link #length} count. */
    byte[] compressed() {
      return compressed;
    }

    int length() {
      return length;
    }

    @Override
    public void run() {
      Deflater deflater = deflaters.poll();
      if (deflater == null) {
        deflater = new Deflater(LEVEL);
      }
      deflater.reset();
      deflater.setInput(bytes);
      deflater.finish();
      length = deflater.deflate(compressed);
      boolean isWhole = deflater.finished();
      deflaters.add(deflater);
      if (!isWhole) {
        throw new AssertionError("a grain takes more than " + compressed.length + " bytes");
      }
    }
  }

  /** A grain of zeroes, to be filled. */
  Job begin(long grain) {
    Job job = unused.isEmpty() ? new Job() : unused.pop();
    job.grain = grain;
    Arrays.fill(job.bytes, (byte) 0);
    return job;
  }

  void submit(Job job) {
    job.done = threads.submit(job);
    underWay.add(job);
  }

  /** Whether as many are under way as shall be. */
  boolean isFull() {
    return underWay.size() >= most;
  }

  boolean isEmpty() {
    return underWay.isEmpty();
  }

  /** The first of those under way, when it is done. */
  Job take() throws IOException {
    Job job = underWay.remove();
    try {
      Object unusedResult = job.done.get();
      return job;
    } catch (ExecutionException e) {
      throw new IOException("grain " + job.grain + " cannot be compressed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the image is not complete");
    }
  }

  /** The caller has no use for a grain any longer. */
  void giveBack(Job job) {
    unused.push(job);
  }

  /** Ends the threads. */
  @Override
  public void close() {
    threads.shutdownNow();
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        boolean unusedResult = threads.awaitTermination(1, java.util.concurrent.TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    for (Deflater deflater; (deflater = deflaters.poll()) != null; ) {
      deflater.end();
    }
  }
}
