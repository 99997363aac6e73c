package io.vdisk;

import com.google.common.math.LongMath;
import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.feature.OrderedWriter;
import io.vdisk.feature.UnitWriter;
import java.io.IOException;
import java.nio.channels.NonWritableChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Copies what one device reads to another. What reads as zero is not moved: runs that the source
 * knows of are not read, and zeroes found in data are not written. Where the host's file system can
 * share blocks between files (XFS, btrfs), data is shared and neither read nor written.
 *
 * <p>A few threads, of which the calling one is the first, take the pieces of the disk in ascending
 * order: each reads its piece, looks for zeroes, compresses, and writes. Space is set aside in the
 * order of the disk, so that the same source makes the same image. A copy takes less than 16 MiB of
 * buffers, or 1 MiB a thread where that is more; one that compresses at most 24 MiB, and fewer
 * threads where units are so large that they would take more. Both devices stay the caller's;
 * nobody else should write to them meanwhile. A copy that failed or was cancelled leaves the target
 * half written.
 *
 * <p>The options are set before {@link #run}, by one thread.
 */
public final class ImageCopy {
  /** Bytes that are read at a time: they fit into most processors' own cache, and stay there. */
  private static final int PIECE = 1 << 20;

  /** The same where they are compressed, which takes far longer than to read them. */
  private static final int COMPRESSED_PIECE = 256 << 10;

  /** Most bytes of buffers for all threads that compress. */
  private static final int MOST_COMPRESSING = 24 << 20;

  /** Zeroes are looked for in granules of at least a host's page. */
  private static final int LEAST_GRANULE = 4 << 10;

  /** In targets of larger units, zeroes are looked for in parts of a unit. */
  private static final int MOST_GRANULE = 64 << 10;

  /** More than two do not move bytes any faster: the target's file takes one write at a time. */
  private static final int THREADS = 2;

  private final BlockDevice source;
  private final BlockDevice target;
  private boolean emptyTarget;
  private boolean largerTarget;
  private int sharedBelow = Integer.MAX_VALUE;
  private boolean compressed;
  private boolean flushed = true;
  private boolean inOrder = true;
  private boolean sharing = true;
  private long smallestHole = LEAST_GRANULE;
  private int threads;
  private long bytesPerSecond;
  private CopyClock clock = CopyClock.SYSTEM;
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
  public record Result(long read, long written, long skipped) {
    static final Result NOTHING = new Result(0, 0, 0);

    Result plus(Result other) {
      return new Result(read + other.read, written + other.written, skipped + other.skipped);
    }
  }

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
    return withSharedBelow(1);
  }

  /** What the source reads from images so many levels below it is in the target already. */
  ImageCopy withSharedBelow(int depth) {
    sharedBelow = depth;
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
   * Zeroes are left out where at least so many bytes of them lie together, at a multiple of that;
   * rounded up to a power of two from 4 KiB to 1 MiB. 0: zeroes are written like any data. Either
   * way all data is read, and none shared.
   */
  public ImageCopy withSmallestHole(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("smallest hole " + bytes);
    }
    smallestHole = Math.min(bytes, PIECE);
    sharing = false;
    return this;
  }

  /**
   * Copies with so many threads, at least 1, the calling one among them; otherwise 2, or as many as
   * there are processors for compression. Units of 2 MiB are compressed by at most 6.
   */
  public ImageCopy withThreads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException(count + " threads");
    }
    threads = count;
    return this;
  }

  /**
   * Lets the threads set space aside as they come: the image differs from run to run. Compressed
   * units are stored in order all the same.
   */
  public ImageCopy inAnyOrder() {
    inOrder = false;
    return this;
  }

  /**
   * Writes at most so many bytes of data in a second; 0: as many as come. Blocks that are shared
   * move none. A copy is cancelled when its next piece, of up to 1 MiB, may be written.
   */
  public ImageCopy withRate(long bytes) {
    bytesPerSecond = CopyRate.check(bytes);
    return this;
  }

  /** The same by another clock. */
  ImageCopy withRate(long bytes, CopyClock other) {
    clock = other;
    return withRate(bytes);
  }

  /**
   * Reports bytes of the virtual disk, from the calling thread: none before the first step, all of
   * them once, when everything is written. In between, what other threads have under way may be
   * among them.
   */
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
    int granule = units.isPresent() ? units.get().unit() : granule();
    int pieceBytes = Math.max(granule, compressed ? COMPRESSED_PIECE : PIECE);
    CopyPlan plan = new CopyPlan(source, granule, pieceBytes, sharedBelow, smallestHole == 0);
    boolean canShare = sharing && !compressed && target.feature(OrderedWriter.class).isPresent();
    CopyTurns turns = new CopyTurns(inOrder || compressed, canShare);
    CopyRate rate = new CopyRate(bytesPerSecond, clock);
    int count = threads(pieceBytes);
    List<CopyWorker> workers = new ArrayList<>();
    List<Thread> others = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CopyPiece piece = new CopyPiece(source, granule, pieceBytes, units, smallestHole == 0);
      CopyTarget sink = new CopyTarget(target, emptyTarget, units);
      workers.add(new CopyWorker(source, plan, turns, rate, piece, sink));
    }
    report(0);
    try {
      for (CopyWorker worker : workers.subList(1, count)) {
        others.add(thread(worker));
      }
      workers.get(0).work(this::reportPart);
    } catch (RuntimeException | Error e) {
      turns.end();
      throw e;
    } finally {
      others.forEach(Uninterruptibles::joinUninterruptibly);
    }
    @Nullable Throwable failure = turns.failure();
    if (failure != null) {
      throw rethrown(failure);
    }
    report(source.size());
    if (flushed) {
      target.flush();
    }
    return workers.stream().map(CopyWorker::result).reduce(Result.NOTHING, Result::plus);
  }

  private void reportPart(long done) {
    if (done < source.size()) {
      report(done);
    }
  }

  private void report(long done) {
    if (!progress.report(done, source.size())) {
      throw new CancellationException("the copy was cancelled");
    }
  }

  private static IOException rethrown(Throwable cause) {
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
                    (Boolean.TRUE.equals(target.info().details().get("encrypted"))
                            ? "encrypted "
                            : "")
                        + target.info().format()
                        + " images cannot store compressed units"));
  }

  private int granule() {
    long unit = Math.min(target.info().unit(), MOST_GRANULE);
    long least = Math.max(smallestHole, Math.max(LEAST_GRANULE, Long.highestOneBit(unit)));
    return Math.toIntExact(LongMath.ceilingPowerOfTwo(least));
  }

  private int threads(int pieceBytes) {
    if (!compressed) {
      return threads > 0 ? threads : THREADS;
    }
    int wanted = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    return Math.min(wanted, Math.max(1, MOST_COMPRESSING / (2 * pieceBytes)));
  }

  private static Thread thread(CopyWorker worker) {
    Thread thread = new Thread(() -> worker.work(done -> {}), "vdisk-copy");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
