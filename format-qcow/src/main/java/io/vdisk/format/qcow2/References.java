package io.vdisk.format.qcow2;

import java.util.HashMap;
import java.util.Map;

/**
 * How often each cluster is referred to, as a check counts it, and whether its refcount is 1: one
 * byte a cluster, in chunks, so that a sparse file of any size costs what is used of it. One
 * thread.
 */
final class References {
  /** Clusters of a chunk. */
  private static final int CHUNK = 1 << 16;

  /** Bits of a byte: references, or this many and more, which are then found in a map. */
  private static final int MANY = 0x7f;

  /** The refcount is 1. */
  private static final int COUNTED_ONCE = 0x80;

  /** Referred to once, and its refcount is 1. */
  private static final byte ONCE_BOTH = (byte) (COUNTED_ONCE | 1);

  private static final byte[] NONE = {};

  private final Map<Long, byte[]> chunks = new HashMap<>();
  private final Map<Long, Integer> many = new HashMap<>();
  private long end;

  /** The chunk that was used last. */
  private long lastIndex = -1;

  private byte[] last = NONE;

  /** The chunk of a cluster; empty if there is none and none is to be made. */
  private byte[] chunk(long cluster, boolean make) {
    long index = cluster / CHUNK;
    if (index != lastIndex) {
      byte[] found = make ? chunks.computeIfAbsent(index, i -> new byte[CHUNK]) : chunks.get(index);
      if (found == null) {
        return NONE;
      }
      last = found;
      lastIndex = index;
    }
    return last;
  }

  /** Counts one more reference to a cluster. */
  void add(long cluster) {
    byte[] chunk = chunk(cluster, true);
    int i = (int) (cluster % CHUNK);
    int before = chunk[i] & MANY;
    if (before < MANY) {
      chunk[i]++;
    } else {
      many.merge(cluster, 1, Integer::sum);
    }
    end = Math.max(end, cluster + 1);
  }

  /**
   * Counts one more reference to each cluster of a range, as long as none has any.
   *
   * @return how many clusters that were
   */
  long addFirst(long cluster, long count) {
    long added = advance(cluster, count, (byte) 0, (byte) 1, true);
    end = Math.max(end, cluster + added);
    return added;
  }

  /**
   * Goes along a range as long as what is known of each cluster is {@code before}, and makes it
   * {@code after}; how far it came.
   */
  private long advance(long cluster, long count, byte before, byte after, boolean make) {
    long stop = cluster + count;
    for (long at = cluster; at < stop; ) {
      byte[] chunk = chunk(at, make);
      int from = (int) (at % CHUNK);
      int to = (int) Math.min(chunk.length, from + (stop - at));
      int i = from;
      while (i < to && chunk[i] == before) {
        chunk[i++] = after;
      }
      at += i - from;
      if (i < CHUNK) {
        return at - cluster;
      }
    }
    return count;
  }

  /** How often a cluster is referred to. */
  int get(long cluster) {
    byte[] chunk = chunk(cluster, false);
    int count = chunk.length == 0 ? 0 : chunk[(int) (cluster % CHUNK)] & MANY;
    return count < MANY ? count : MANY + many.getOrDefault(cluster, 0);
  }

  /**
   * Remembers of clusters that are referred to once that their refcount is 1, as long as that
   * holds.
   *
   * @param count how many from {@code cluster} on have that refcount
   * @return how many of these are referred to once
   */
  long confirmOnce(long cluster, long count) {
    return advance(cluster, count, (byte) 1, ONCE_BOTH, false);
  }

  /** From a cluster on, how many of a range are known to be referred to and counted once. */
  long countConfirmed(long cluster, long count) {
    return advance(cluster, count, ONCE_BOTH, ONCE_BOTH, false);
  }

  /** Whether no cluster of a range that begins at {@code cluster} is referred to, up to its end. */
  boolean isEmptyChunk(long cluster) {
    return chunk(cluster, false).length == 0;
  }

  /** Where the chunk of a cluster ends. */
  static long chunkEnd(long cluster) {
    return (cluster / CHUNK + 1) * CHUNK;
  }

  /** Behind the last cluster that is referred to. */
  long end() {
    return end;
  }
}
