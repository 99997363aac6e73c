package io.vdisk.format.qcow2;

import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How often each cluster is referred to, as a check counts it, and whether its refcount is 1: one
 * byte a cluster, nine where a cluster is referred to often, in chunks, so that a sparse file of
 * any size costs what is used of it. One thread.
 */
final class References {
  /** Clusters of a chunk. */
  private static final int CHUNK = 1 << 16;

  /** Bits of a byte: references; all set, the count is in {@link Chunk#many}. */
  private static final int MANY = 0x7f;

  /** The refcount is 1. */
  private static final int COUNTED_ONCE = 0x80;

  /** Referred to once, and its refcount is 1. */
  private static final byte ONCE_BOTH = (byte) (COUNTED_ONCE | 1);

  private static final Chunk NONE = new Chunk(0);

  private final TreeMap<Long, Chunk> chunks = new TreeMap<>();
  private long end;

  /** The chunk that was used last. */
  private long lastIndex = -1;

  private Chunk last = NONE;

  /** Counts of consecutive clusters. */
  private static final class Chunk {
    final byte[] few;
    long @Nullable [] many;

    Chunk(int clusters) {
      few = new byte[clusters];
    }

    long get(int i) {
      int count = few[i] & MANY;
      return count < MANY || many == null ? count : many[i];
    }

    void add(int i, long times) {
      long sum = get(i) + times;
      if (sum >= 0 && sum < MANY) {
        few[i] = (byte) ((few[i] & COUNTED_ONCE) | (int) sum);
        return;
      }
      long[] counts = many;
      if (counts == null) {
        counts = new long[few.length];
        many = counts;
      }
      few[i] |= (byte) MANY;
      counts[i] = sum < 0 ? Long.MAX_VALUE : sum;
    }
  }

  /** The chunk of a cluster; empty if there is none and none is to be made. */
  private Chunk chunk(long cluster, boolean make) {
    long index = cluster / CHUNK;
    if (index != lastIndex) {
      Chunk found = make ? chunks.computeIfAbsent(index, i -> new Chunk(CHUNK)) : chunks.get(index);
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
    add(cluster, 1);
  }

  /** Counts so many more references to a cluster. */
  void add(long cluster, long times) {
    chunk(cluster, true).add((int) (cluster % CHUNK), times);
    end = Math.max(end, cluster + 1);
  }

  /**
   * Counts so many references to each cluster of a range, as long as none has any.
   *
   * @return how many clusters that were; 0 where so many references need more than a byte
   */
  long addFirst(long cluster, long count, long times) {
    if (times >= MANY) {
      return 0;
    }
    long added = advance(cluster, count, (byte) 0, (byte) times, true);
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
      byte[] chunk = chunk(at, make).few;
      int from = (int) (at % CHUNK);
      int to = (int) Math.min(chunk.length, from + (stop - at));
      int i = from;
      while (i < to && chunk[i] == before) {
        chunk[i++] = after;
      }
      at += Math.max(0, i - from);
      if (i < CHUNK) {
        return at - cluster;
      }
    }
    return count;
  }

  /** How often a cluster is referred to. */
  long get(long cluster) {
    Chunk chunk = chunk(cluster, false);
    return chunk == NONE ? 0 : chunk.get((int) (cluster % CHUNK));
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

  /**
   * The first cluster from {@code cluster} on that may be referred to: all before it are not.
   * {@code Long.MAX_VALUE} if there is none.
   */
  long next(long cluster) {
    Long index = chunks.ceilingKey(cluster / CHUNK);
    return index == null ? Long.MAX_VALUE : Math.max(cluster, index * CHUNK);
  }

  /** Behind the last cluster that is referred to. */
  long end() {
    return end;
  }
}
