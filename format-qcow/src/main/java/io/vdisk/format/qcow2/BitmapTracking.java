package io.vdisk.format.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Sets the bits of enabled bitmaps in memory while an image is being written. On disk these are
 * marked as in use before the first write, and hence not to be believed, until they are stored when
 * the image is closed or somebody is alone on it.
 */
final class BitmapTracking {
  private final Metadata metadata;

  /** What is being tracked; null before the first write. */
  private volatile Tracked[] tracked;

  /** One bitmap, as the directory on disk has it, and what it is now. */
  private record Tracked(BitmapEntry entry, BitmapBits bits) {}

  private static final Tracked[] NONE = {};

  BitmapTracking(Metadata metadata) {
    this.metadata = metadata;
    this.tracked = NONE;
  }

  /** Whether the header names bitmaps that may have to be tracked. */
  boolean isNeeded() {
    return metadata.header().bitmaps.isPresent();
  }

  /** Loads the enabled bitmaps, and marks them on disk. Before the first write. */
  void begin() throws IOException {
    BitmapDirectory directory = BitmapDirectory.read(metadata.file, metadata.header());
    BitmapFile file = new BitmapFile(metadata);
    file.checkDirectory();
    List<Tracked> loaded = new ArrayList<>();
    List<BitmapEntry> marked = new ArrayList<>();
    for (BitmapEntry entry : directory.entries()) {
      if (entry.has(BitmapEntry.AUTO) && !entry.has(BitmapEntry.IN_USE)) {
        marked.add(entry.withFlags(entry.flags() | BitmapEntry.IN_USE));
        if (entry.isUsable()) {
          file.checkTable(entry);
          loaded.add(new Tracked(entry, file.read(entry)));
        }
      }
    }
    if (!marked.isEmpty()) {
      file.setFlags(directory, marked);
    }
    tracked = loaded.toArray(NONE);
  }

  /** A range of the disk is about to be changed. */
  void mark(long offset, long length) {
    for (Tracked bitmap : tracked) {
      if (length > 0) {
        bitmap.bits.mark(offset, length);
      }
    }
  }

  /** Stores what is tracked, and tracks no longer. Nobody else uses the image. */
  void end() throws IOException {
    Tracked[] now = tracked;
    if (now.length == 0) {
      return;
    }
    BitmapDirectory directory = BitmapDirectory.read(metadata.file, metadata.header());
    BitmapFile file = new BitmapFile(metadata);
    List<BitmapEntry> stored = new ArrayList<>();
    for (Tracked bitmap : now) {
      file.overwrite(bitmap.entry, bitmap.bits);
      stored.add(bitmap.entry);
    }
    metadata.file.flush();
    file.setFlags(directory, stored);
    tracked = NONE;
  }
}
