package io.vdisk;

import io.vdisk.feature.BackingLink;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * Gives an overlay another backing file, or none, without changing what its disk reads. For every
 * format with a backing file.
 *
 * <p>Whatever the overlay does not hold is compared with the new backing device, beyond whose end
 * zeroes are read, and written into the overlay where it differs. When that is durable, the name of
 * the backing file is changed ({@link BackingLink}): the process may be ended at any instant, and
 * the rebase be run again. To change the name alone, ask for {@code BackingLink}.
 *
 * <p>Both devices stay the caller's; nobody else should write to them meanwhile. The overlay reads
 * from the old backing file until it is opened again.
 *
 * <p>The options are set before {@link #run}, by one thread.
 */
public final class ImageRebase {
  /** Bytes that are compared at a time; of both sides together it takes twice as much memory. */
  private static final int PIECE = 1 << 20;

  private final BlockDevice overlay;
  private final Optional<BlockDevice> backing;
  private final Optional<String> name;
  private final Optional<String> format;
  private final Differences differences = new Differences(PIECE);
  private Progress progress = Progress.NONE;

  private ImageRebase(
      BlockDevice overlay,
      Optional<BlockDevice> backing,
      Optional<String> name,
      Optional<String> format) {
    this.overlay = overlay;
    this.backing = backing;
    this.name = name;
    this.format = format;
  }

  /**
   * A rebase of {@code overlay}, open for writing over its old backing file.
   *
   * @param backing the new backing file, open for reading; it may be the old one
   * @param name as it is to be written into the overlay
   * @param format its format as it is to be written; empty: not recorded
   */
  public static ImageRebase of(
      BlockDevice overlay, BlockDevice backing, String name, Optional<String> format) {
    return new ImageRebase(overlay, Optional.of(backing), Optional.of(name), format);
  }

  /** Makes {@code overlay}, open for writing, hold all of its disk and stand alone. */
  public static ImageRebase flattening(BlockDevice overlay) {
    return new ImageRebase(overlay, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** Reports bytes of the virtual disk. */
  public ImageRebase withProgress(Progress watcher) {
    progress = watcher;
    return this;
  }

  /**
   * Compares, copies, flushes, and changes the name.
   *
   * @return bytes that were written into the overlay
   * @throws UnsupportedImageException if the overlay's format has no backing file
   * @throws CancellationException if the progress says so; the old backing file is still named
   */
  public long run() throws IOException {
    Optional<BackingLink> link = overlay.feature(BackingLink.class);
    if (link.isEmpty()) {
      throw new UnsupportedImageException(
          overlay.info().format() + " images cannot be given another backing file");
    }
    long written = 0;
    long position = 0;
    report(0);
    while (position < overlay.size()) {
      long end = heldOrAlike(position);
      if (end == position) {
        end = unheldEnd(position);
        written += compare(position, (int) (end - position));
      }
      position = end;
      if (position < overlay.size()) {
        report(position);
      }
    }
    overlay.flush();
    link.get().change(name, format);
    report(overlay.size());
    return written;
  }

  private void report(long done) {
    if (!progress.report(done, overlay.size())) {
      throw new CancellationException("the rebase was cancelled");
    }
  }

  /** Whether the overlay itself says what lies there. */
  static boolean isHeld(Extent extent) {
    return extent.depth() == 0 && extent.kind() != Extent.Kind.HOLE;
  }

  /** Where the range ends that needs no look at its bytes; {@code position} if there is none. */
  private long heldOrAlike(long position) throws IOException {
    Extent old = overlay.extentAt(position, overlay.size() - position);
    if (isHeld(old)) {
      return position + old.length();
    }
    Optional<Extent> other = under(position, old.length());
    long length = other.isPresent() ? other.get().length() : old.length();
    if (!isAlike(old, other)) {
      return position;
    }
    // Whole units only: what follows is written by units, and a part of one may be no such thing.
    long end = position + length;
    return end == overlay.size() ? end : Math.max(position, end - end % overlay.info().unit());
  }

  /** What the new backing device says of a place; beyond its end there is nothing. */
  private Optional<Extent> under(long position, long limit) throws IOException {
    if (backing.isEmpty() || position >= backing.get().size()) {
      return Optional.empty();
    }
    return Optional.of(
        backing.get().extentAt(position, Math.min(limit, backing.get().size() - position)));
  }

  /** Whether the old and the new backing are known to agree without reading either. */
  private static boolean isAlike(Extent old, Optional<Extent> other) {
    if (old.readsAsZero()) {
      return other.isEmpty() || other.get().readsAsZero();
    }
    if (other.isEmpty() || other.get().isEncoded() || old.isEncoded()) {
      return false;
    }
    Optional<HostFile> oldFile = old.file();
    Optional<HostFile> newFile = other.get().file();
    return oldFile.isPresent()
        && newFile.isPresent()
        && oldFile.get().key().equals(newFile.get().key())
        && old.fileOffset() == other.get().fileOffset();
  }

  /** How far the overlay holds nothing, within a piece. */
  private long unheldEnd(long position) throws IOException {
    long most = Math.min(overlay.size(), position - position % PIECE + PIECE);
    long end = position;
    while (end < most) {
      Extent extent = overlay.extentAt(end, most - end);
      if (isHeld(extent)) {
        break;
      }
      end += extent.length();
    }
    return end;
  }

  /** Brings into the overlay what would read otherwise; returns the bytes written. */
  private long compare(long position, int length) throws IOException {
    differences.readBefore(overlay, position, length);
    differences.readAfter(backing, position);
    return differences.write(overlay, position);
  }
}
