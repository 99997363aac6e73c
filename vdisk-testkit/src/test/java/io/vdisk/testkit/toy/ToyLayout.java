package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.WriteBack;
import java.io.IOException;
import java.util.Optional;

/** What the toys have in common as layouts: a cache, a write-back, a quarantine and a check. */
abstract class ToyLayout<S extends Enum<S>> implements WritableLayout {
  static final int SECTOR = 512;

  final HostFile file;
  final ToyHeader header;
  final boolean hasBacking;
  final long size;
  final TableCache cache;
  final Quarantine quarantine = new Quarantine();
  private final ImageInfo info;

  ToyLayout(ToyFormat.Parts parts) {
    this.file = parts.file();
    this.header = parts.header();
    this.hasBacking = parts.hasBacking();
    this.size = header.virtualSize();
    this.info = parts.info();
    this.cache = new TableCache(parts.context().cacheBudget());
  }

  abstract WriteBack<S> writeBack();

  /** Reads the tables from the file, past the cache, and says what is wrong. */
  abstract void check(CheckReport.Builder report) throws IOException;

  /** What is done in one hold of the metadata lock. */
  @FunctionalInterface
  interface Change {
    void apply(Hold hold) throws IOException;
  }

  /** Changes at most {@code slices} slices. */
  final void change(int slices, Change body) throws IOException {
    writeBack().reserve(slices);
    try {
      locked(body);
    } finally {
      writeBack().release(slices);
    }
  }

  /** The same where the slices have been reserved. */
  final void locked(Change body) throws IOException {
    boolean unused =
        cache.<Boolean>locked(
            hold -> {
              body.apply(hold);
              return true;
            });
  }

  /** The run of one-word entries that begins with entry {@code first}. */
  final Mapping run(Slice entries, int first, HostFile data, long offset, long length)
      throws CorruptImageException {
    int unit = (int) info.unit();
    long within = offset % unit;
    ToyEntry entry = new ToyEntry(entries.word(first));
    if (!entry.isValid()) {
      throw new CorruptImageException(
          file.name() + ": the entry of guest offset " + offset + " is " + entry.raw());
    }
    if (entry.isEncoded()) {
      return Mapping.encoded(
          data, entry.offset(), entry.encodedLength(), Math.min(length, unit - within));
    }
    int count = 1;
    long run = unit - within;
    while (run < length
        && first + count < entries.length()
        && entry.isFollowedBy(new ToyEntry(entries.word(first + count)), (long) count * unit)) {
      count++;
      run += unit;
    }
    run = Math.min(run, length);
    if (entry.isZero()) {
      return Mapping.zero(run);
    }
    return entry.isStored()
        ? Mapping.stored(data, entry.offset() + within, run, true)
        : Mapping.backing(run);
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public void flush() throws IOException {
    writeBack().run();
  }

  @Override
  public long durableBatch() {
    return writeBack().durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return quarantine.bytes();
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    if (type != Checking.class) {
      return Optional.empty();
    }
    Checking checking =
        progress ->
            exclusive.call(
                () -> {
                  CheckReport.Builder report = CheckReport.builder();
                  check(report);
                  return report.build();
                });
    return Optional.of(type.cast(checking));
  }

  @Override
  public void reload() throws IOException {
    cache.abandon();
  }
}
