package io.vdisk.format.vhdx;

import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.metadata.Journal;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The log of an image that is being changed. It keeps:
 *
 * <ol>
 *   <li>At any instant there is a whole entry on disk, or the current header says that there is no
 *       log: an entry is durable before a header names it, and the next is written past it.
 *   <li>Every entry is a sequence by itself: what came before is in place before it is written, or
 *       it holds that, too, because what is not in place is still to be written.
 *   <li>An entry is at most a third of the log, and does not wrap: so it never touches the one
 *       before, which may be all that there is until it is durable.
 * </ol>
 *
 * <p>{@link #begin} may be called by many threads, all else by one at a time.
 */
final class VhdxLog implements Journal {
  /** Most updates of an entry: two sectors of descriptors and about a mebibyte. */
  private static final int MAX_UPDATES = 252;

  private final LoggedFile file;
  private final HeaderPair headers;
  private final long start;
  private final long length;
  private final int capacity;
  private final ReentrantLock beginning = new ReentrantLock();

  private volatile boolean begun;

  // Once it has begun, by who has the turn:
  private Guid guid = Guid.NIL;
  private long sequence;
  private long position;

  VhdxLog(LoggedFile file, HeaderPair headers) {
    this.file = file;
    this.headers = headers;
    this.start = headers.current().logOffset();
    this.length = headers.current().logLength();
    long most = length / 3 / LogEntry.SECTOR;
    int updates = (int) Math.min(MAX_UPDATES, most);
    while (updates > 1 && LogEntry.descriptorSectors(updates) + updates > most) {
      updates--;
    }
    this.capacity = Math.max(1, updates);
  }

  @Override
  public int capacity() {
    return capacity;
  }

  /** Whether the image was marked as being changed. */
  boolean hasBegun() {
    return begun;
  }

  /**
   * Makes durable, before the first change of an opening, that the file and the disk are not what
   * they were, and that there is a log.
   *
   * @param before runs once, before anything is written
   */
  void begin(Preparation before) throws IOException {
    beginning.lock();
    try {
      before.run();
      if (begun) {
        return;
      }
      if (length == 0 || file.size() < start + length) {
        throw new UnsupportedImageException(file.name() + ": it has no log, so it cannot change");
      }
      headers.update(
          headers
              .current()
              .withFileWriteGuid(Guid.random())
              .withDataWriteGuid(Guid.random())
              .withLogGuid(Guid.NIL));
      guid = Guid.random();
      sequence = 0;
      position = 0;
      append(List.of());
      headers.updateBoth(headers.current().withLogGuid(guid));
      begun = true;
    } finally {
      beginning.unlock();
    }
  }

  /** What must be known before an image is changed. */
  @FunctionalInterface
  interface Preparation {
    void run() throws IOException;
  }

  @Override
  public void record(List<Slice.Image> images) throws IOException {
    List<LogEntry.Update> updates = new ArrayList<>(images.size());
    for (Slice.Image image : images) {
      updates.add(new LogEntry.Update(image.position(), image.bytes()));
    }
    append(updates);
  }

  /** Writes an entry behind the last one, durably. */
  private void append(List<LogEntry.Update> updates) throws IOException {
    if (updates.size() > capacity) {
      throw new AssertionError(updates.size() + " updates in an entry of " + capacity);
    }
    long bytes = (LogEntry.descriptorSectors(updates.size()) + updates.size()) * LogEntry.SECTOR;
    long place = position + bytes <= length ? position : 0;
    ByteBuffer entry =
        LogEntry.encode(
            updates,
            guid,
            sequence + 1,
            place,
            file.flushedSize() & -FileRanges.MIB,
            (file.lastSize() + FileRanges.MIB - 1) & -FileRanges.MIB);
    file.write(entry, start + place);
    file.flush();
    sequence++;
    position = place + bytes;
  }

  @Override
  public void settled() {}

  /**
   * Makes updates at once: through an entry, then in place; durable when this returns. By who is
   * alone, after {@link #begin}.
   */
  void update(List<LogEntry.Update> updates) throws IOException {
    append(updates);
    for (LogEntry.Update update : updates) {
      file.write(update.bytes().duplicate().rewind(), update.offset());
    }
    file.flush();
  }

  /**
   * Says, before the file is cut, how short it may be from now on: a shorter one would be taken for
   * damaged. By who is alone, after {@link #begin}.
   */
  void shrinkTo(long size) throws IOException {
    file.willShrinkTo(size);
    append(List.of());
  }

  /** Says that there is nothing to replay: all is in place, and nobody changes anything. */
  void end() throws IOException {
    if (begun) {
      headers.updateBoth(headers.current().withLogGuid(Guid.NIL));
      begun = false;
    }
  }
}
