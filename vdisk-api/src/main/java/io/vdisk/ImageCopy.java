package io.vdisk;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.feature.UnitWriter;
import java.io.IOException;
import java.nio.channels.NonWritableChannelException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Copies what one device reads to another. What reads as zero is not moved: runs that the source
 * knows of are not read, and zeroes found in data are not written.
 *
 * <p>A few threads read ahead, and compress; the calling thread writes, in ascending order, so that
 * the same source makes the same image. A copy takes less than 16 MiB of buffers. Both devices stay
 * the caller's; nobody else should write to them meanwhile. A copy that failed or was cancelled
 * leaves the target half written.
 *
 * <p>The options are set before {@link #run}, by one thread.
 */
public final class ImageCopy {
  /** Bytes that are read at a time. */
  private static final int PIECE = 2 << 20;

  /** The same if units are compressed, which needs as much again for what comes out. */
  private static final int ENCODED_PIECE = 1 << 20;

  /** Bytes of buffers, and of compressed units, in all. */
  private static final int MOST_BUFFERED = 12 << 20;

  /** Zeroes are looked for in granules of at least a host's page. */
  private static final long LEAST_GRANULE = 4 << 10;

  /** In targets of larger units, zeroes are looked for in parts of a unit. */
  private static final long MOST_GRANULE = 64 << 10;

  private static final int READERS = 2;

  private final BlockDevice source;
  private final BlockDevice target;
  private boolean emptyTarget;
  private boolean largerTarget;
  private boolean sharedBacking;
  private boolean compressed;
  private boolean flushed = true;
  private int threads;
  private Progress progress = Progress.NONE;

  private ImageCopy(BlockDevice source, BlockDevice target) {
    this.source = source;
    this.target = target;
  }

  /**
   * What a copy moved. Bytes of the virtual disk.
   *
   * @param read bytes read from the source
   * @param written bytes written to the target as data
   * @param skipped the other bytes: they read as zero, or the target had them already
   */
  public record Result(long read, long written, long skipped) {}

  /** A copy of all of {@code source} to a target of the same size. */
  public static ImageCopy of(BlockDevice source, BlockDevice target) {
    return new ImageCopy(source, target);
  }

  /**
   * The target is new: it reads as zero everywhere. Otherwise it is asked where it does, and zeroes
   * are written where it does not.
   */
  public ImageCopy toEmptyTarget() {
    emptyTarget = true;
    return this;
  }

  /** The target may be larger than the source; what lies beyond the source's end stays as it is. */
  public ImageCopy toLargerTarget() {
    largerTarget = true;
    return this;
  }

  /**
   * What the source reads from its backing file is not copied: the target has a backing file with
   * the same content.
   */
  public ImageCopy withSharedBacking() {
    sharedBacking = true;
    return this;
  }

  /** Stores units compressed where that makes them smaller. */
  public ImageCopy compressed() {
    compressed = true;
    return this;
  }

  /** Leaves it to the caller to flush the target. */
  public ImageCopy withoutFlush() {
    flushed = false;
    return this;
  }

  /**
   * Reads ahead, and compresses, with so many threads beside the calling one, at least 1; otherwise
   * 2, or as many as there are processors for compression.
   */
  public ImageCopy withThreads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException(count + " threads");
    }
    threads = count;
    return this;
  }

  /** Reports bytes of the virtual disk, from the calling thread, before the first step also. */
  public ImageCopy withProgress(Progress watcher) {
    progress = watcher;
    return this;
  }

  /**
   * Copies. When this returns or throws, no thread of it runs any longer.
   *
   * @throws IllegalArgumentException if the sizes do not fit
   * @throws UnsupportedImageException if the target cannot store compressed units
   * @throws CancellationException if the progress says so
   * @throws IOException what failed first, in the order of the disk; what failed beside it is
   *     suppressed
   */
  public Result run() throws IOException {
    checkSizes();
    if (!target.capabilities().contains(Capability.WRITE)) {
      throw new NonWritableChannelException();
    }
    Optional<UnitWriter> units = compressed ? Optional.of(unitWriter()) : Optional.empty();
    long granule = units.isPresent() ? units.get().unit() : granule(target.info().unit());
    int pieceBytes = (int) Math.max(granule, compressed ? ENCODED_PIECE : PIECE);
    int pieces = Math.max(2, MOST_BUFFERED / (compressed ? 2 * pieceBytes : pieceBytes));
    CopyPlan plan = new CopyPlan(source, granule, pieceBytes, sharedBacking);
    int wanted = threads > 0 ? threads : compressed ? processors() : READERS;
    int workers = Math.min(wanted, pieces - 1);
    CopyTarget sink = new CopyTarget(target, emptyTarget, units);
    List<Thread> made = new CopyOnWriteArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(workers, body -> thread(body, made));
    Deque<Future<CopyPiece>> ahead = new ArrayDeque<>();
    AtomicBoolean stopped = new AtomicBoolean();
    @Nullable Throwable failure = null;
    try {
      report(0);
      Deque<CopyPiece> free = new ArrayDeque<>();
      for (int i = 0; i <= workers; i++) {
        free.add(new CopyPiece(source, (int) granule, pieceBytes, units));
      }
      run(plan, pool, ahead, stopped, free, sink);
      if (flushed) {
        target.flush();
      }
      return sink.result();
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
      throw e;
    } finally {
      stopped.set(true);
      finish(pool, made, ahead, failure);
    }
  }

  private void run(
      CopyPlan plan,
      ExecutorService pool,
      Deque<Future<CopyPiece>> ahead,
      AtomicBoolean stopped,
      Deque<CopyPiece> free,
      CopyTarget sink)
      throws IOException {
    boolean more = true;
    while (true) {
      while (more && !free.isEmpty()) {
        CopyPlan.@Nullable Step step = plan.next();
        if (step == null) {
          more = false;
        } else {
          CopyPiece piece = free.remove();
          ahead.add(pool.submit(() -> stopped.get() ? piece : piece.load(step)));
        }
      }
      if (ahead.isEmpty()) {
        return;
      }
      CopyPiece piece = await(ahead.remove());
      sink.write(piece);
      free.add(piece);
      report(piece.step().end());
    }
  }

  private void report(long done) {
    if (!progress.report(done, source.size())) {
      throw new CancellationException("the copy was cancelled");
    }
  }

  private static CopyPiece await(Future<CopyPiece> loading) throws IOException {
    try {
      return Uninterruptibles.getUninterruptibly(loading);
    } catch (ExecutionException e) {
      throw rethrown(e.getCause());
    }
  }

  private static IOException rethrown(@Nullable Throwable cause) {
    if (cause instanceof IOException e) {
      return e;
    }
    if (cause instanceof RuntimeException e) {
      throw e;
    }
    if (cause instanceof Error e) {
      throw e;
    }
    throw new AssertionError(cause);
  }

  /** Waits for what runs; what failed there is added to {@code failure}. */
  private static void finish(
      ExecutorService pool,
      List<Thread> threads,
      Deque<Future<CopyPiece>> ahead,
      @Nullable Throwable failure) {
    pool.shutdown();
    // A pool calls itself terminated while its last threads are still ending.
    threads.forEach(Uninterruptibles::joinUninterruptibly);
    for (Future<CopyPiece> loading : ahead) {
      try {
        CopyPiece unused = Uninterruptibles.getUninterruptibly(loading);
      } catch (ExecutionException e) {
        Throwable other = e.getCause();
        if (failure != null && other != null && !other.equals(failure)) {
          failure.addSuppressed(other);
        }
      }
    }
  }

  private void checkSizes() {
    long from = source.size();
    long to = target.size();
    if (from > to) {
      throw new IllegalArgumentException(
          "the source has " + from + " bytes, the target only " + to);
    }
    if (from < to && !largerTarget) {
      throw new IllegalArgumentException(
          "the target has " + to + " bytes, the source only " + from);
    }
  }

  private UnitWriter unitWriter() throws IOException {
    return target
        .feature(UnitWriter.class)
        .orElseThrow(
            () ->
                new UnsupportedImageException(
                    target.info().format() + " images cannot store compressed units"));
  }

  private static long granule(long unit) {
    long least = Math.max(LEAST_GRANULE, Math.min(unit, MOST_GRANULE));
    return Long.highestOneBit(least);
  }

  private static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }

  private static Thread thread(Runnable body, List<Thread> made) {
    Thread thread = new Thread(body, "vdisk-copy");
    thread.setDaemon(true);
    made.add(thread);
    return thread;
  }
}
