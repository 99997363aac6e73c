package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.Optional;

/**
 * An seSparse extent. Entries have 64 bits: the first four say what a grain is, the number of a
 * stored one is spread over the others.
 */
final class SeSparseExtent extends ReadOnlyExtent {
  private static final int SECTOR = SparseHeader.SECTOR;
  private static final int WORDS = TableKind.MAX_SLICE / Long.BYTES;
  private static final int GRAIN_BITS = 12;
  private static final int TABLE_BYTES = SeSparseHeader.ONLY_TABLE * SECTOR;
  private static final int TABLE_ENTRIES = TABLE_BYTES / Long.BYTES;
  private static final int SLICES_PER_TABLE = TABLE_BYTES / TableKind.MAX_SLICE;

  /** The first four bits of an entry of the directory that names a table. */
  private static final long NAMED_TABLE = 0x1000_0000_0000_0000L;

  private static final long UNMAPPED = 1;
  private static final long ZERO = 2;
  private static final long STORED = 3;

  private final HostFile file;
  private final SeSparseHeader header;
  private final long size;
  private final long fileSize;
  private final TableCache cache;
  private final TableKind directory;
  private final TableKind tables;

  SeSparseExtent(HostFile file, SeSparseHeader header, ExtentTables shared, Limits limits)
      throws IOException {
    super(file.name() + ": an seSparse image is only read");
    this.file = file;
    this.header = header;
    this.size = header.capacity() * SECTOR;
    this.fileSize = file.size();
    this.cache = shared.cache();
    long count = (size + (long) TABLE_ENTRIES * unit() - 1) / ((long) TABLE_ENTRIES * unit());
    long bytes = count * Long.BYTES;
    limits.checkTable("grain directory", bytes, file.name());
    if (bytes > header.directorySectors() * SECTOR
        || header.directory() * SECTOR > fileSize - bytes) {
      throw new CorruptImageException(
          file.name() + ": grain_dir_size or grain_dir_offset leave no room for its entries");
    }
    this.directory = cache.add(new Directory(bytes));
    this.tables = cache.add(new Tables(count));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long unit() {
    return 1 << GRAIN_BITS;
  }

  @Override
  public Optional<HostFile> file() {
    return Optional.of(file);
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    long grain = offset >>> GRAIN_BITS;
    Slice entries = cache.load(tables, grain / WORDS);
    if (entries == null) {
      long end = ((grain / TABLE_ENTRIES + 1) * TABLE_ENTRIES) << GRAIN_BITS;
      return Mapping.backing(Math.min(length, end - offset));
    }
    int first = (int) (grain % WORDS);
    long touched = ((offset + length - 1) >>> GRAIN_BITS) - grain + 1;
    int most = (int) Math.min(WORDS - first, touched);
    long entry = entries.word(first);
    long kind = entry >>> 60;
    if (kind > STORED || (kind == 0 && entry != 0)) {
      throw new CorruptImageException(
          String.format("%s: grain %d has the entry %#x", file.name(), grain, entry));
    }
    int count = 1;
    if (kind != STORED) {
      while (count < most && isLike(entries.word(first + count), kind)) {
        count++;
      }
      long run = Math.min(length, ((grain + count) << GRAIN_BITS) - offset);
      return kind == 0 ? Mapping.backing(run) : Mapping.zero(run);
    }
    long number = number(entry);
    while (count < most
        && entries.word(first + count) >>> 60 == STORED
        && number(entries.word(first + count)) == number + count) {
      count++;
    }
    long place = place(grain, number, count);
    long within = offset & (unit() - 1);
    return Mapping.stored(
        file, place + within, Math.min(length, ((long) count << GRAIN_BITS) - within), false);
  }

  private static boolean isLike(long entry, long kind) {
    return kind == 0 ? entry == 0 : entry >>> 60 == UNMAPPED || entry >>> 60 == ZERO;
  }

  private static long number(long entry) {
    return (entry & 0x0fff_0000_0000_0000L) >>> 48 | (entry & 0x0000_ffff_ffff_ffffL) << 12;
  }

  private long place(long grain, long number, int count) throws CorruptImageException {
    long most = header.grainsSectors() / SeSparseHeader.ONLY_GRAIN;
    long place = header.grains() * SECTOR + (number << GRAIN_BITS);
    if (number > most - count || place + ((long) (count - 1) << GRAIN_BITS) >= fileSize) {
      throw new CorruptImageException(
          String.format(
              "%s: grain %d is said to be number %d in the file, which has not so many",
              file.name(), grain, number));
    }
    return place;
  }

  private final class Directory extends TableKind {
    Directory(long bytes) {
      super("grain directory", file, ByteOrder.LITTLE_ENDIAN, MAX_SLICE, bytes, WriteStage.EXPOSE);
    }

    @Override
    protected long position(Hold hold, long index) {
      return header.directory() * SECTOR + index * MAX_SLICE;
    }
  }

  private final class Tables extends TableKind {
    Tables(long count) {
      super(
          "grain table",
          file,
          ByteOrder.LITTLE_ENDIAN,
          MAX_SLICE,
          count * TABLE_BYTES,
          WriteStage.EXPOSE);
    }

    @Override
    protected long position(Hold hold, long index) throws IOException {
      long table = index / SLICES_PER_TABLE;
      Slice names = Objects.requireNonNull(hold.slice(directory, table / WORDS));
      long entry = names.word((int) (table % WORDS));
      if (entry == 0) {
        return 0;
      }
      long number = entry & 0xffff_ffffL;
      long place = header.tables() * SECTOR + number * TABLE_BYTES;
      if ((entry & ~0xffff_ffffL) != NAMED_TABLE
          || (number + 1) * SeSparseHeader.ONLY_TABLE > header.tablesSectors()
          || place > fileSize - TABLE_BYTES) {
        throw new CorruptImageException(
            String.format("%s: grain directory entry %d is %#x", file.name(), table, entry));
      }
      return place + index % SLICES_PER_TABLE * MAX_SLICE;
    }
  }
}
