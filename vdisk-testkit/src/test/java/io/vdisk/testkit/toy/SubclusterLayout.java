package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.SubclusterFormat.CLUSTER;
import static io.vdisk.testkit.toy.SubclusterFormat.PER_SLICE;
import static io.vdisk.testkit.toy.SubclusterFormat.SLICE;
import static io.vdisk.testkit.toy.SubclusterFormat.SUBCLUSTER;
import static io.vdisk.testkit.toy.SubclusterFormat.SUBCLUSTERS;

import io.vdisk.CorruptImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import io.vdisk.spi.metadata.TableCache.Hold;
import io.vdisk.spi.metadata.TableKind;
import io.vdisk.spi.metadata.WriteBack;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** See {@link SubclusterFormat}. */
final class SubclusterLayout extends ToyLayout<SubclusterLayout.Stage> {
  /** The only table. */
  enum Stage {
    /** Exposes guest data. */
    TABLE
  }

  private final WriteBack<Stage> writeBack;
  private final TableKind table;
  private final UnitSpace space;
  private final long tableOffset;

  SubclusterLayout(ToyFormat.Parts parts) throws IOException {
    super(parts);
    this.writeBack = new WriteBack<>(Stage.class, Stage.TABLE, cache, quarantine, List.of(file));
    this.tableOffset = header.offsetWord(SubclusterFormat.TABLE_OFFSET, file);
    this.table =
        cache.add(
            new TableKind(
                "cluster table",
                file,
                ByteOrder.BIG_ENDIAN,
                SLICE,
                SubclusterFormat.tableBytes(size),
                Stage.TABLE) {
              @Override
              protected long position(Hold hold, long index) {
                return tableOffset + index * SLICE;
              }
            });
    long data = header.word(SubclusterFormat.DATA_OFFSET, SLICE, file.size(), file);
    this.space = new UnitSpace(file, data);
    findSpace();
  }

  private void findSpace() throws IOException {
    space.find();
    ToyBytes bytes = new ToyBytes(file);
    for (int i = 0; (long) i * CLUSTER < size; i++) {
      long offset = bytes.word(tableOffset, 2 * i);
      if (space.holds(offset)) {
        space.use(offset, CLUSTER);
      }
    }
  }

  @Override
  WriteBack<Stage> writeBack() {
    return writeBack;
  }

  @Override
  public long granule() {
    return SUBCLUSTER;
  }

  private static long sliceOf(long offset) {
    return offset / CLUSTER / PER_SLICE;
  }

  private static int indexOf(long offset) {
    return (int) (offset / CLUSTER % PER_SLICE);
  }

  private static int subclusterOf(long offset) {
    return (int) (offset % CLUSTER / SUBCLUSTER);
  }

  private Slice entries(Hold hold, long offset) throws IOException {
    return Objects.requireNonNull(hold.slice(table, sliceOf(offset)));
  }

  /** Without a lock, unless somebody is changing the two words. */
  private SubclusterEntry entry(long offset) throws IOException {
    Slice entries = Objects.requireNonNull(cache.load(table, sliceOf(offset)));
    int version = entries.version();
    SubclusterEntry entry = SubclusterEntry.of(entries, indexOf(offset));
    if (!entries.isUnchanged(version)) {
      entry = cache.locked(hold -> SubclusterEntry.of(entries(hold, offset), indexOf(offset)));
    }
    if (!entry.isValid() || (entry.offset() != 0 && !space.holds(entry.offset()))) {
      throw new CorruptImageException(
          file.name() + ": the entry of guest offset " + offset + " is " + entry);
    }
    return entry;
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    SubclusterEntry entry = entry(offset);
    int first = subclusterOf(offset);
    int end = first + 1;
    while (end < SUBCLUSTERS && entry.isSame(first, end)) {
      end++;
    }
    long within = offset % CLUSTER;
    long run = Math.min(length, (long) end * SUBCLUSTER - within);
    if (entry.isZero(first)) {
      return Mapping.zero(run);
    }
    return entry.isStored(first)
        ? Mapping.stored(file, entry.offset() + within, run, true)
        : Mapping.backing(run);
  }

  /** The range is a run of subclusters that are not stored: {@link #map} said so. */
  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    int first = subclusterOf(offset);
    long end = Math.min(offset % CLUSTER + length, CLUSTER);
    int last = (int) ToyFormat.ceilDiv(end, SUBCLUSTER);
    writeBack.reserve(Subclusters.SLICES);
    boolean taken = false;
    try {
      Subclusters made =
          cache.locked(
              hold -> {
                long own = SubclusterEntry.of(entries(hold, offset), indexOf(offset)).offset();
                Space cluster =
                    own != 0 ? new Space(own, CLUSTER, false) : space.take(CLUSTER, CLUSTER);
                return new Subclusters(cluster, own != 0, first, last, offset, length);
              });
      taken = true;
      return made;
    } finally {
      if (!taken) {
        writeBack.release(Subclusters.SLICES);
      }
    }
  }

  /** Subclusters of a cluster, which may be new. */
  private final class Subclusters extends ToyAllocation {
    static final int SLICES = 1;

    private final long cluster;
    private final boolean isOwn;
    private final long mask;

    Subclusters(Space cluster, boolean isOwn, int first, int last, long offset, long most) {
      super(
          file,
          new Space(
              cluster.offset() + (long) first * SUBCLUSTER,
              (long) (last - first) * SUBCLUSTER,
              cluster.zeroed()),
          offset - offset % SUBCLUSTER,
          offset,
          most);
      this.cluster = cluster.offset();
      this.isOwn = isOwn;
      this.mask = SubclusterEntry.mask(first, last);
    }

    @Override
    public void commit() throws IOException {
      locked(
          hold -> {
            Slice entries = entries(hold, start);
            SubclusterEntry old = SubclusterEntry.of(entries, indexOf(start));
            set(hold, entries, indexOf(start), old.withStored(cluster, mask));
          });
      writeBack.release(SLICES);
    }

    @Override
    public void abort() {
      try {
        if (!isOwn) {
          locked(hold -> space.give(cluster, CLUSTER));
        }
      } catch (IOException e) {
        throw new AssertionError("nothing is read here", e);
      } finally {
        writeBack.release(SLICES);
      }
    }
  }

  private static void set(Hold hold, Slice entries, int i, SubclusterEntry entry) {
    hold.setPair(entries, 2 * i, entry.offset(), 2 * i + 1, entry.states());
  }

  /** Goes to the end of one cluster at most. */
  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    if (keepSpace) {
      return 0;
    }
    long end = Math.min(offset % CLUSTER + length, CLUSTER);
    int last = (int) ToyFormat.ceilDiv(end, SUBCLUSTER);
    long mask = SubclusterEntry.mask(subclusterOf(offset), last);
    change(
        1,
        hold -> {
          Slice entries = entries(hold, offset);
          SubclusterEntry old = SubclusterEntry.of(entries, indexOf(offset));
          SubclusterEntry entry = old.without(mask, hasBacking);
          if (space.holds(old.offset()) && entry.offset() == 0) {
            quarantine.add(old.offset(), CLUSTER);
          }
          if (!old.equals(entry)) {
            set(hold, entries, indexOf(offset), entry);
          }
        });
    return end - offset % CLUSTER;
  }

  @Override
  public void recycle(long batch) throws IOException {
    List<Quarantine.Entry> freed = cache.locked(hold -> quarantine.take(batch));
    for (Quarantine.Entry entry : freed) {
      boolean unused = file.zero(entry.fileOffset(), entry.length(), false);
      locked(hold -> space.give(entry.fileOffset(), entry.length()));
    }
  }

  @Override
  void check(CheckReport.Builder report) throws IOException {
    ToyBytes bytes = new ToyBytes(file);
    Set<Long> used = new HashSet<>();
    long allocated = 0;
    for (int i = 0; (long) i * CLUSTER < size; i++) {
      SubclusterEntry entry =
          new SubclusterEntry(bytes.word(tableOffset, 2 * i), bytes.word(tableOffset, 2 * i + 1));
      if (!entry.isValid()) {
        report.add(Severity.ERROR, "entry " + i + " is " + entry);
      } else if (entry.offset() != 0) {
        allocated++;
        for (int subcluster = 0; subcluster < SUBCLUSTERS; subcluster++) {
          long at = entry.offset() + (long) subcluster * SUBCLUSTER;
          if (!used.add(at)) {
            report.add(Severity.ERROR, "offset " + at + " is used twice, by entry " + i + " too");
          }
          if (entry.isStored(subcluster) && !bytes.has(at)) {
            report.add(Severity.ERROR, "entry " + i + " is past the end: " + entry);
          }
        }
      }
    }
    report.units(ToyFormat.ceilDiv(size, CLUSTER), allocated, 0, 0);
  }

  @Override
  public void reload() throws IOException {
    super.reload();
    locked(hold -> findSpace());
  }
}
