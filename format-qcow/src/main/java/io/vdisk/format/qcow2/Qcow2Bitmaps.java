package io.vdisk.format.qcow2;

import io.vdisk.Extent;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.DirtyBitmaps;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bitmaps inside an image. Each change writes new tables and a new directory, and becomes
 * visible by one write of the header.
 */
final class Qcow2Bitmaps implements DirtyBitmaps {
  private final Alterations alterations;
  private final Metadata metadata;
  private final BitmapFile file;

  Qcow2Bitmaps(Alterations alterations) {
    this.alterations = alterations;
    this.metadata = alterations.metadata;
    this.file = new BitmapFile(metadata);
  }

  private BitmapDirectory directory() throws IOException {
    return BitmapDirectory.read(metadata.file, metadata.header());
  }

  private BitmapEntry find(BitmapDirectory directory, String name) throws FileNotFoundException {
    return directory
        .find(name)
        .orElseThrow(
            () ->
                new FileNotFoundException(
                    metadata.file.name() + ": there is no bitmap '" + name + "'"));
  }

  /** An entry whose bits can be relied on. */
  private BitmapEntry usable(BitmapDirectory directory, String name) throws IOException {
    BitmapEntry entry = find(directory, name);
    if (!entry.isUsable()) {
      throw new UnsupportedImageException(
          metadata.file.name()
              + ": bitmap '"
              + name
              + "' was not stored in order, and can only be removed");
    }
    return entry;
  }

  @Override
  public List<Bitmap> list() throws IOException {
    return alterations.look(
        () -> {
          List<Bitmap> list = new ArrayList<>();
          for (BitmapEntry entry : directory().entries()) {
            list.add(describe(entry));
          }
          return list;
        });
  }

  private static Bitmap describe(BitmapEntry entry) {
    return new Bitmap(
        entry.name().toString(),
        1L << entry.granularityBits(),
        entry.has(BitmapEntry.AUTO),
        entry.isUsable());
  }

  @Override
  public Bitmap create(String name, long granularity) throws IOException {
    Bitmap[] made = new Bitmap[1];
    alterations.alter(() -> made[0] = describe(add(name, granularity)));
    return made[0];
  }

  private BitmapEntry add(String name, long granularity) throws IOException {
    Qcow2Header header = metadata.header();
    RawBytes text = RawBytes.of(name);
    int bits = Long.numberOfTrailingZeros(granularity);
    if (text.size() == 0 || text.size() > BitmapEntry.MAX_NAME) {
      throw new IllegalArgumentException("a bitmap's name of " + text.size() + " bytes");
    }
    if (Long.bitCount(granularity) != 1
        || bits < BitmapEntry.MIN_GRANULARITY_BITS
        || bits > BitmapEntry.MAX_GRANULARITY_BITS) {
      throw new IllegalArgumentException(
          "a granularity of " + granularity + ", and not a power of two from 512 to 2G");
    }
    long entries = BitmapEntry.entriesNeeded(header.virtualSize, bits, header.clusterSize());
    if (header.version < 3
        || entries > BitmapEntry.MAX_TABLE_ENTRIES
        || entries * header.clusterSize() > BitmapEntry.MAX_BYTES) {
      throw new UnsupportedImageException(
          metadata.file.name()
              + (header.version < 3
                  ? ": version 2 has no bitmaps"
                  : ": a bitmap of this granularity would be too large"));
    }
    BitmapDirectory old = directory();
    if (old.find(name).isPresent()) {
      throw new FileAlreadyExistsException(
          metadata.file.name(), null, "there is a bitmap '" + name + "'");
    }
    BitmapEntry entry =
        file.write(
            new BitmapEntry(0, 0, BitmapEntry.AUTO, bits, text, RawBytes.EMPTY),
            new BitmapBits(header.virtualSize, bits),
            header.virtualSize);
    List<BitmapEntry> now = new ArrayList<>(old.entries());
    now.add(entry);
    replace(old, now);
    return entry;
  }

  private void replace(BitmapDirectory old, List<BitmapEntry> entries) throws IOException {
    file.replace(old, entries, new HeaderUpdate(metadata.file, metadata.header()));
  }

  /** What becomes of one bitmap; null: nothing is left of it. */
  @FunctionalInterface
  private interface Change {
    @Nullable BitmapEntry of(BitmapEntry entry) throws IOException;
  }

  private void change(String name, boolean mustBeUsable, Change change) throws IOException {
    alterations.alter(
        () -> {
          alterations.requireSound(); // what is freed is what only the bitmap names
          BitmapDirectory old = directory();
          BitmapEntry entry = mustBeUsable ? usable(old, name) : find(old, name);
          BitmapEntry next = change.of(entry);
          List<BitmapEntry> now = new ArrayList<>(old.entries());
          int i = now.indexOf(entry);
          now.remove(i);
          if (next != null) {
            now.add(i, next);
          }
          replace(old, now);
        });
  }

  private BitmapEntry written(BitmapEntry entry, BitmapBits bits) throws IOException {
    return file.write(entry, bits, metadata.header().virtualSize);
  }

  @Override
  public void clear(String name) throws IOException {
    change(
        name,
        true,
        entry ->
            written(entry, new BitmapBits(metadata.header().virtualSize, entry.granularityBits())));
  }

  @Override
  public void merge(String target, String source) throws IOException {
    change(
        target,
        true,
        entry -> written(entry, marked(entry, file.read(usable(directory(), source)).ranges())));
  }

  @Override
  public void merge(String target, Iterable<Extent> ranges) throws IOException {
    change(target, true, entry -> written(entry, marked(entry, ranges)));
  }

  private BitmapBits marked(BitmapEntry entry, Iterable<Extent> ranges) throws IOException {
    BitmapBits bits = file.read(entry);
    for (Extent range : ranges) {
      if (range.offset() < metadata.header().virtualSize) {
        bits.mark(range.offset(), range.length());
      }
    }
    return bits;
  }

  @Override
  public void setEnabled(String name, boolean enabled) throws IOException {
    change(
        name,
        true,
        entry ->
            entry.withFlags(
                enabled ? entry.flags() | BitmapEntry.AUTO : entry.flags() & ~BitmapEntry.AUTO));
  }

  @Override
  public void remove(String name) throws IOException {
    change(name, false, entry -> null);
  }

  @Override
  public Iterable<Extent> dirty(String name) throws IOException {
    return alterations.look(() -> file.read(usable(directory(), name)).ranges());
  }

  /**
   * Lets the header say another size of the disk, in one step with bitmaps that fit it: what is new
   * is not marked, what was beyond the new end is forgotten.
   */
  static void resize(Metadata metadata, long virtualSize, HeaderUpdate update) throws IOException {
    BitmapFile file = new BitmapFile(metadata);
    BitmapDirectory old = BitmapDirectory.read(metadata.file, metadata.header());
    List<BitmapEntry> now = new ArrayList<>();
    for (BitmapEntry entry : old.entries()) {
      if (!entry.isUsable()) {
        throw new UnsupportedImageException(
            metadata.file.name()
                + ": bitmap '"
                + entry.name()
                + "' was not stored in order; remove it before the disk is resized");
      }
      BitmapBits bits = new BitmapBits(virtualSize, entry.granularityBits());
      for (Extent range : file.read(entry).ranges()) {
        if (range.offset() < virtualSize) {
          bits.mark(range.offset(), range.length());
        }
      }
      now.add(file.write(entry, bits, virtualSize));
    }
    file.replace(old, now, update);
  }
}
