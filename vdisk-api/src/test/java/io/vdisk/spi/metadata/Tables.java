package io.vdisk.spi.metadata;

import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A toy image's tables for the tests of this package: counts, entries and a root that names the
 * entries' place.
 */
final class Tables {
  enum Stage {
    COUNTS,
    ENTRIES,
    ROOT
  }

  static final int SLICES = 64;

  final Disk disk = new Disk();
  final TableCache cache;
  final Quarantine quarantine = new Quarantine();
  final WriteBack<Stage> writeBack;

  /** Counts lie at 64 KiB, always. */
  final TableKind counts;

  /** Entries lie where word 0 of the root says; each slice may lie elsewhere. */
  final TableKind entries;

  /** One word for each slice of entries, at 8 KiB. */
  final TableKind root;

  Tables(long budget, Pause pause) {
    this(budget, pause, null);
  }

  Tables(long budget, Pause pause, @Nullable Journal journal) {
    cache = new TableCache(new CacheBudget(budget), pause);
    long bytes = SLICES * 4096L;
    counts = cache.add(new Fixed("counts", 65_536, bytes, Stage.COUNTS));
    root = cache.add(new Fixed("root", 8192, SLICES * 8L, Stage.ROOT));
    entries =
        cache.add(
            new TableKind(
                "entries", disk, ByteOrder.BIG_ENDIAN, 4096, bytes, Stage.ROOT, Stage.ENTRIES) {
              @Override
              protected long position(TableCache.Hold hold, long index) throws java.io.IOException {
                return java.util.Objects.requireNonNull(hold.slice(root, 0)).word((int) index);
              }
            });
    writeBack =
        new WriteBack<>(
            Stage.class, Stage.ENTRIES, cache, quarantine, List.of(disk), journal, pause);
  }

  /** Writes the word that the root has for a slice of entries, before anyone read it. */
  void place(int slice, long position) {
    java.nio.ByteBuffer.wrap(disk.bytes).putLong(8192 + 8 * slice, position);
  }

  private final class Fixed extends TableKind {
    private final long start;

    Fixed(String name, long start, long bytes, Stage stage) {
      super(name, disk, ByteOrder.BIG_ENDIAN, 4096, bytes, stage);
      this.start = start;
    }

    @Override
    protected long position(TableCache.Hold hold, long index) {
      return start + index * 4096;
    }
  }
}
