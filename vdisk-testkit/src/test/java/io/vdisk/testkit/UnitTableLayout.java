package io.vdisk.testkit;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.SpaceMap;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import io.vdisk.testkit.UnitTableFormat.Flaw;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** See {@link UnitTableFormat}. */
final class UnitTableLayout implements WritableLayout {
  private static final int UNIT = UnitTableFormat.UNIT;
  private static final int WORDS = TableKind.MAX_SLICE / Long.BYTES;
  private static final long ZERO = 1;

  private enum Stage {
    TABLE
  }

  private final UnitTableFormat format;
  private final HostFile data;
  private final TableKind table;
  private final TableCache cache;
  private final WriteBack<Stage> writeBack;
  private final Quarantine quarantine = new Quarantine(); // under the metadata lock
  private final SpaceMap free = new SpaceMap(); // under the metadata lock
  private long end; // under the metadata lock

  UnitTableLayout(UnitTableFormat format, HostFile file, HostFile data, CacheBudget budget)
      throws IOException {
    this.format = format;
    this.data = data;
    this.cache = new TableCache(budget);
    this.table = cache.add(new Table(file, format.tableBytes()));
    this.writeBack =
        new WriteBack<>(
            Stage.class,
            Stage.TABLE,
            cache,
            quarantine,
            is(Flaw.TABLE_BEFORE_DATA) ? List.of() : List.of(data));
    this.end = Math.max(format.start(), (data.size() + UNIT - 1) / UNIT * UNIT);
    findFree(file);
  }

  private void findFree(HostFile file) throws IOException {
    ByteBuffer words = ByteBuffer.allocate((int) format.tableBytes());
    file.readFully(words, UnitTableFormat.TABLE);
    free.add(format.start(), end - format.start());
    for (int i = 0; i < words.capacity(); i += Long.BYTES) {
      if (words.getLong(i) > ZERO) {
        free.remove(words.getLong(i), UNIT);
      }
    }
  }

  private static final class Table extends TableKind {
    Table(HostFile file, long bytes) {
      super("table", file, ByteOrder.BIG_ENDIAN, MAX_SLICE, bytes, Stage.TABLE);
    }

    @Override
    protected long position(TableCache.Hold hold, long index) {
      return UnitTableFormat.TABLE + index * MAX_SLICE;
    }
  }

  private boolean is(Flaw flaw) {
    return format.flaw() == flaw;
  }

  @Override
  public ImageInfo info() {
    return format.info();
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    long inUnit = offset % UNIT;
    long run = Math.min(length, UNIT - inUnit);
    long word = Objects.requireNonNull(cache.load(table, slice(offset))).word(at(offset));
    if (word == 0) {
      return Mapping.backing(run);
    }
    return word == ZERO ? Mapping.zero(run) : Mapping.stored(data, word + inUnit, run, true);
  }

  private static long slice(long offset) {
    return offset / UNIT / WORDS;
  }

  private static int at(long offset) {
    return (int) (offset / UNIT % WORDS);
  }

  private void set(TableCache.Hold hold, long offset, long word) throws IOException {
    Slice slice = Objects.requireNonNull(hold.slice(table, slice(offset)));
    long old = slice.word(at(offset));
    hold.set(slice, at(offset), word);
    if (old > ZERO) {
      if (is(Flaw.FREED_SPACE_IS_REUSED_AT_ONCE)) {
        free.add(old, UNIT);
      } else {
        quarantine.add(old, UNIT);
      }
    }
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    writeBack.reserve(1);
    try {
      return cache.locked(
          hold -> {
            SpaceMap.Run run = free.take(UNIT, UNIT);
            long place = run == null ? end : run.offset();
            if (run == null) {
              end += UNIT;
            }
            Space space = new Space(offset, place, length, run == null);
            if (is(Flaw.COMMIT_BEFORE_DATA)) {
              set(hold, offset, place);
            }
            return space;
          });
    } catch (IOException | RuntimeException e) {
      writeBack.release(1);
      throw e;
    }
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    writeBack.reserve(1);
    try {
      long word = is(Flaw.DISCARD_SHOWS_BACKING) ? 0 : ZERO;
      if (!is(Flaw.ZEROES_ARE_FORGOTTEN)) {
        cache.<@Nullable Void>locked(
            hold -> {
              set(hold, offset, word);
              return null;
            });
      }
      return Math.min(length, UNIT);
    } finally {
      writeBack.release(1);
    }
  }

  @Override
  public void flush() throws IOException {
    try {
      writeBack.run();
    } catch (IOException e) {
      if (!is(Flaw.FAILED_FLUSH_IS_SWALLOWED)) {
        throw e;
      }
    }
  }

  @Override
  public long durableBatch() {
    return writeBack.durableBatch();
  }

  @Override
  public void recycle(long batch) throws IOException {
    cache.<@Nullable Void>locked(
        hold -> {
          quarantine.take(batch).forEach(entry -> free.add(entry.fileOffset(), UNIT));
          return null;
        });
  }

  @Override
  public void reload() {
    cache.clear();
  }

  @Override
  public void close() {
    cache.abandon();
  }

  private final class Space implements Allocation {
    private final long offset;
    private final long place;
    private final long length;
    private final boolean zeroed;

    Space(long offset, long place, long length, boolean zeroed) {
      this.offset = offset;
      this.place = place;
      this.length = Math.min(length, UNIT - offset % UNIT);
      this.zeroed = zeroed;
    }

    @Override
    public HostFile file() {
      return data;
    }

    @Override
    public long fileOffset() {
      return place + offset % UNIT;
    }

    @Override
    public long length() {
      return length;
    }

    @Override
    public long head() {
      return offset % UNIT;
    }

    @Override
    public long tail() {
      return UNIT - head() - length;
    }

    @Override
    public boolean zeroed() {
      return zeroed;
    }

    @Override
    public void commit() throws IOException {
      cache.<@Nullable Void>locked(
          hold -> {
            if (!is(Flaw.COMMIT_BEFORE_DATA)) {
              set(hold, offset, place);
            }
            return null;
          });
      writeBack.release(1);
    }

    @Override
    public void abort() {
      try {
        cache.<@Nullable Void>locked(
            hold -> {
              if (is(Flaw.ABORT_LEAVES_THE_MAPPING)) {
                set(hold, offset, place);
              } else {
                free.add(place, UNIT);
              }
              return null;
            });
      } catch (IOException e) {
        throw new AssertionError(e);
      }
      writeBack.release(1);
    }
  }
}
