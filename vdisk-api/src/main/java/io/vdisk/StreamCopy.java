package io.vdisk;

import java.io.IOException;
import java.util.concurrent.CancellationException;

/**
 * Copies an image in one pass, where source or target cannot seek. Takes one piece of 1 MiB, and
 * what source and target need themselves.
 *
 * <p>Where both can seek {@link ImageCopy} does the same faster.
 */
public final class StreamCopy {
  private static final int PIECE = 1 << 20;

  private StreamCopy() {}

  /**
   * Copies all of {@code source} and finishes the target. Both stay the caller's.
   *
   * @param progress told from the calling thread; where the size is not known the total is what has
   *     come so far
   * @return bytes of the virtual disk that came; how many that were zero were left out is not known
   * @throws CancellationException if the progress says so
   * @throws IOException if the source ends too early, too
   */
  public static long run(SequentialSource source, SequentialTarget target, Progress progress)
      throws IOException {
    Piece piece = new Piece(PIECE);
    long total = source.virtualSize().orElse(0);
    long bytes = 0;
    long end = 0;
    report(progress, 0, total);
    while (source.next(piece)) {
      bytes += piece.buffer().remaining();
      end = piece.offset() + piece.buffer().remaining();
      target.write(piece.buffer(), piece.offset());
      report(progress, end, Math.max(total, end));
    }
    target.finish();
    report(progress, Math.max(total, end), Math.max(total, end));
    return bytes;
  }

  private static void report(Progress progress, long done, long total) {
    if (!progress.report(done, total)) {
      throw new CancellationException("the copy was cancelled");
    }
  }
}
