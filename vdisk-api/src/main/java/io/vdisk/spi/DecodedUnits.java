package io.vdisk.spi;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import io.vdisk.file.HostFile;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The last units that were decompressed, keyed by where their compressed bytes lie. Values never
 * change, so a plain cache is right; space that is offered again is dropped here first.
 * Thread-safe.
 */
final class DecodedUnits {
  /** A few hundred clusters of 64 KiB, or an 32th of a small heap. */
  private static final long MAX_BYTES = 8L << 20;

  private record Place(HostFile file, long fileOffset) {}

  /** Made when the first unit is decoded: most images have none, and start-up should not pay. */
  private volatile @Nullable Cache<Place, ByteBuffer> units;

  /** A unit, from 0 to its limit; the caller changes no byte of it. */
  @Nullable ByteBuffer get(HostFile file, long fileOffset) {
    Cache<Place, ByteBuffer> cache = units;
    return cache == null ? null : cache.getIfPresent(new Place(file, fileOffset));
  }

  /** Keeps a unit, and returns it. */
  ByteBuffer put(HostFile file, long fileOffset, ByteBuffer unit) {
    cache().put(new Place(file, fileOffset), unit);
    return unit;
  }

  void drop() {
    Cache<Place, ByteBuffer> cache = units;
    if (cache != null) {
      cache.invalidateAll();
    }
  }

  private synchronized Cache<Place, ByteBuffer> cache() {
    Cache<Place, ByteBuffer> cache = units;
    if (cache == null) {
      long bytes = Math.min(MAX_BYTES, Runtime.getRuntime().maxMemory() / 32);
      cache =
          CacheBuilder.newBuilder()
              .maximumWeight(bytes)
              .weigher((Place place, ByteBuffer unit) -> unit.capacity())
              .concurrencyLevel(2)
              .build();
      units = cache;
    }
    return cache;
  }
}
