package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What an image must say of itself while it is being changed: before the first change, features
 * that other programs added and we do not keep are cleared, and enabled bitmaps are marked; where a
 * change would hit metadata, the image is marked corrupt, and is not changed any more. Thread-safe.
 */
final class HeaderMarks {
  private final Metadata metadata;
  private final boolean forRepair;
  private final BitmapTracking bitmaps;

  /** Whether the header says what it must before the image is changed. */
  private volatile boolean ready;

  private volatile boolean corrupt;

  HeaderMarks(Metadata metadata, boolean forRepair) {
    this.metadata = metadata;
    this.forRepair = forRepair;
    this.bitmaps = new BitmapTracking(metadata);
    reload();
  }

  /** The header was changed by somebody who was alone on the image. */
  void reload() {
    ready = !forRepair && !corrupt && metadata.header().autoclear == kept() && !bitmaps.isNeeded();
  }

  /** The autoclear features that hold true of what we write. */
  private long kept() {
    Qcow2Header header = metadata.header();
    long kept = header.bitmaps.isPresent() ? Feature.BITMAPS.mask() : 0;
    kept |= header.hasDataFile() ? Feature.RAW_DATA_FILE.mask() : 0;
    return header.autoclear & kept;
  }

  /** Called before each change of the guest's; the first time it makes the marks durable. */
  void beforeWrite(long offset, long length) throws IOException {
    if (!ready) {
      prepare();
    }
    bitmaps.mark(offset, length);
  }

  private synchronized void prepare() throws IOException {
    if (!ready) {
      prepareHeader();
      if (bitmaps.isNeeded()) {
        beginBitmaps();
      }
      ready = true;
    }
  }

  private void beginBitmaps() throws IOException {
    try {
      bitmaps.begin();
    } catch (OverlapException e) {
      markCorrupt(e);
      throw e;
    }
  }

  /** Called before a change of tables. */
  synchronized void prepareHeader() throws IOException {
    if (corrupt) {
      throw new CorruptImageException(
          metadata.file.name() + ": takes no more changes, because it is corrupt");
    }
    if (forRepair) {
      throw new UnsupportedImageException(
          metadata.file.name() + " is open to be repaired, and for nothing else");
    }
    if (metadata.header().autoclear != kept()) {
      write(Qcow2Header.AUTOCLEAR_FEATURES.offset(), kept());
    }
  }

  /** Stores what was kept in memory. Nobody else uses the image. */
  synchronized void settle() throws IOException {
    if (!corrupt) {
      bitmaps.end();
    }
  }

  /** Marks the image: nothing is to be written to it until it is repaired. */
  synchronized void markCorrupt(IOException reason) {
    if (corrupt) {
      return;
    }
    corrupt = true;
    ready = false;
    Qcow2Header header = metadata.header();
    if (header.version >= 3) {
      try {
        long field = header.incompatible | Feature.CORRUPT.mask();
        write(Qcow2Header.INCOMPATIBLE_FEATURES.offset(), field);
      } catch (IOException e) {
        reason.addSuppressed(e);
      }
    }
  }

  /** A field inside one sector: it is there whole or not at all. */
  private void write(long offset, long field) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).putLong(field).flip();
    metadata.file.write(bytes, offset);
    metadata.file.flush();
  }
}
