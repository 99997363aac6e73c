package io.vdisk.format.qcow2;

import java.util.HashMap;
import java.util.Map;

/**
 * How often each cluster is referred to, as a check counts it: chunks of counts, so that a sparse
 * file of any size costs what is used of it. One thread.
 */
final class References {
  private static final int CHUNK = 4096;

  private final Map<Long, int[]> chunks = new HashMap<>();
  private long end;

  /** Counts one more reference to a cluster, and returns how many there are. */
  int add(long cluster) {
    int[] chunk = chunks.computeIfAbsent(cluster / CHUNK, index -> new int[CHUNK]);
    int i = (int) (cluster % CHUNK);
    end = Math.max(end, cluster + 1);
    return ++chunk[i];
  }

  int get(long cluster) {
    int[] chunk = chunks.get(cluster / CHUNK);
    return chunk == null ? 0 : chunk[(int) (cluster % CHUNK)];
  }

  /** Whether no cluster of a range that begins at {@code cluster} is referred to, up to its end. */
  boolean isEmptyChunk(long cluster) {
    return !chunks.containsKey(cluster / CHUNK);
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
