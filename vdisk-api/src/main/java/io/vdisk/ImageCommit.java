package io.vdisk;

import io.vdisk.feature.Emptying;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.util.Optional;

/**
 * Writes what an overlay holds into an image below it, which then reads as the overlay does. For
 * every format with a backing file.
 *
 * <p>The caller opens the base for writing, which is consent to change it, and the overlay over
 * that very device ({@link OpenOptions#withBacking}), so that both see each other's changes. Both
 * stay the caller's; nobody else should write to them meanwhile.
 *
 * <p>Nothing is dropped from the overlay before all of it is durable in the base: the process may
 * be ended at any instant, and the commit be run again. Images between the two, and others over the
 * base, no longer fit to it once a commit has begun.
 *
 * <p>The options are set before {@link #run}, by one thread.
 */
public final class ImageCommit {
  private final BlockDevice overlay;
  private final BlockDevice base;
  private int depth = 1;
  private boolean emptying;
  private long bytesPerSecond;
  private CopyClock clock = CopyClock.SYSTEM;
  private Progress progress = Progress.NONE;

  private ImageCommit(BlockDevice overlay, BlockDevice base) {
    this.overlay = overlay;
    this.base = base;
  }

  /** A commit of {@code overlay} into its backing device {@code base}. */
  public static ImageCommit of(BlockDevice overlay, BlockDevice base) {
    return new ImageCommit(overlay, base);
  }

  /** So many images lie between the two; what they hold is written into the base too. */
  public ImageCommit through(int images) {
    if (images < 0) {
      throw new IllegalArgumentException(images + " images");
    }
    depth = images + 1;
    return this;
  }

  /**
   * Empties the overlay afterwards, where its format can ({@link Emptying}); only without images in
   * between, because the overlay would read from these again.
   */
  public ImageCommit emptyingOverlay() {
    emptying = true;
    return this;
  }

  /** Writes at most so many bytes in a second into the base; 0: as many as come. */
  public ImageCommit withRate(long bytes) {
    bytesPerSecond = CopyRate.check(bytes);
    return this;
  }

  /** The same by another clock. */
  ImageCommit withRate(long bytes, CopyClock other) {
    clock = other;
    return withRate(bytes);
  }

  /** Reports bytes of the virtual disk. */
  public ImageCommit withProgress(Progress watcher) {
    progress = watcher;
    return this;
  }

  /**
   * Grows the base if the overlay is larger, copies, flushes, and empties the overlay if that was
   * asked for.
   *
   * @throws UnsupportedImageException if the base would have to grow and cannot
   * @throws java.util.concurrent.CancellationException if the progress says so; the overlay is
   *     whole
   */
  public ImageCopy.Result run() throws IOException {
    if (emptying && depth > 1) {
      throw new IllegalArgumentException("an overlay over other images than the base is kept");
    }
    if (overlay.size() > base.size()) {
      grow();
    }
    ImageCopy.Result result =
        ImageCopy.of(overlay, base)
            .withSharedBelow(depth)
            .toLargerTarget()
            .withRate(bytesPerSecond, clock)
            .withProgress(progress)
            .run();
    Optional<Emptying> overlays = emptying ? overlay.feature(Emptying.class) : Optional.empty();
    if (overlays.isPresent()) {
      overlays.get().empty();
    }
    return result;
  }

  private void grow() throws IOException {
    Optional<Resizing> resizing = base.feature(Resizing.class);
    if (resizing.isEmpty()) {
      throw new UnsupportedImageException(
          "the overlay has "
              + overlay.size()
              + " bytes, the base only "
              + base.size()
              + ", and "
              + base.info().format()
              + " images cannot be resized");
    }
    resizing.get().resize(overlay.size());
  }
}
