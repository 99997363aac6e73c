package io.vdisk.tools;

import io.vdisk.file.PageCache;

/**
 * How a file goes with the host's page cache, as QEMU's tools name it. Every durable mode flushes
 * at the end; those that QEMU flushes after each write do no more than that here, where nobody can
 * see the target before it is complete.
 *
 * @param durable whether it is flushed
 */
record CacheMode(PageCache pageCache, boolean durable) {
  /**
   * What an option says, without which it is {@code writeback}; {@code --drop-cache} is for the
   * modes that use the cache.
   */
  static CacheMode of(Arguments arguments, String option) throws UsageException {
    PageCache used = arguments.has("--drop-cache") ? PageCache.DROPPED : PageCache.USED;
    String mode = arguments.value(option).orElse("writeback");
    return switch (mode) {
      case "writeback", "writethrough" -> new CacheMode(used, true);
      case "unsafe" -> new CacheMode(used, false);
      case "none", "directsync" -> new CacheMode(PageCache.BYPASSED, true);
      default -> throw new UsageException(option + " knows no cache mode '" + mode + "'");
    };
  }

  /** For a target that is written once and, if it is durable, flushed then. */
  PageCache ofTarget() {
    return durable && pageCache == PageCache.USED ? PageCache.WRITTEN_BACK : pageCache;
  }
}
