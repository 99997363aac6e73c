package io.vdisk.spi.metadata;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Host space that lost a reference and may not be used again yet: the table that names it is
 * perhaps still on disk, a request may still be reading it. Entries are decrements, not free space:
 * what is shared stays counted by others.
 *
 * <p>Entries gather in a batch; a write-back seals it at the instant at which it copies the tables,
 * so that everything in the batch is durably unnamed when the write-back is done. All methods are
 * called under the metadata lock, but for {@link #bytes}.
 */
public final class Quarantine {
  /**
   * One reference that was dropped.
   *
   * @param fileOffset first byte in the host file
   * @param length bytes
   * @param batch the batch in which it was dropped
   */
  public record Entry(long fileOffset, long length, long batch) {}

  private final ArrayDeque<Entry> entries = new ArrayDeque<>();
  private long batch = 1;
  private boolean empty = true;
  private final AtomicLong bytes = new AtomicLong();

  /** A reference to this space was dropped. */
  public void add(long fileOffset, long length) {
    entries.add(new Entry(fileOffset, length, batch));
    bytes.addAndGet(length);
    empty = false;
  }

  /** Takes out the entries of {@code sealed} and all batches before it. */
  public List<Entry> take(long sealed) {
    List<Entry> taken = new ArrayList<>();
    for (Entry first; (first = entries.peek()) != null && first.batch() <= sealed; ) {
      taken.add(entries.remove());
      bytes.addAndGet(-first.length());
    }
    return taken;
  }

  /**
   * Forgets what was dropped after a batch: the tables are given up, and on disk the references are
   * still there.
   *
   * @param durable the last batch whose references are durably gone
   */
  public void abandon(long durable) {
    while (!entries.isEmpty() && entries.getLast().batch() > durable) {
      bytes.addAndGet(-entries.removeLast().length());
    }
    empty = true;
  }

  /** Bytes that wait. Needs no lock. */
  public long bytes() {
    return bytes.get();
  }

  /** Ends the batch; later entries get the next number. An empty batch goes on. */
  long seal() {
    if (empty) {
      return batch - 1;
    }
    empty = true;
    return batch++;
  }
}
