package io.vdisk.testkit;

import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * The content of one file of a {@link CrashDisk}: for each sector the flushed value and those
 * written since, in order. Every call holds the disk's lock. Values are never changed in place.
 */
final class SectorStore {
  static final int SECTOR = SectorValue.BYTES;

  private final String name;
  private final TreeMap<Long, Sector> sectors = new TreeMap<>();

  /** The flushed size, then every later one. */
  private List<Long> sizes = new ArrayList<>(List.of(0L));

  private boolean dirty;

  SectorStore(String name) {
    this.name = name;
  }

  /** The flushed value, then every later one. */
  private static final class Sector {
    private List<SectorValue> values = new ArrayList<>(List.of(SectorValue.HOLE));

    SectorValue current() {
      return values.get(values.size() - 1);
    }
  }

  /** Which of several values survived: an index. */
  private interface Survivor {
    int among(int count);
  }

  boolean isDirty() {
    return dirty;
  }

  long size() {
    return sizes.get(sizes.size() - 1);
  }

  void flush() {
    for (Sector sector : sectors.values()) {
      if (sector.values.size() > 1) {
        sector.values = new ArrayList<>(List.of(sector.current()));
      }
    }
    sectors.values().removeIf(sector -> sector.current().isHole());
    sizes = new ArrayList<>(List.of(size()));
    dirty = false;
  }

  void read(ByteBuffer dst, long offset, int length) {
    for (int done = 0; done < length; ) {
      int within = (int) ((offset + done) % SECTOR);
      int bytes = Math.min(length - done, SECTOR - within);
      current((offset + done) / SECTOR).get(dst, within, bytes);
      done += bytes;
    }
  }

  void write(ByteBuffer src, long offset) {
    dirty = true;
    long position = offset;
    while (src.hasRemaining()) {
      int within = (int) (position % SECTOR);
      int bytes = Math.min(src.remaining(), SECTOR - within);
      put(position / SECTOR, current(position / SECTOR).with(src, within, bytes));
      position += bytes;
    }
    setSize(Math.max(size(), position));
  }

  void resize(long size) {
    dirty = true;
    if (size < size()) {
      zero(size, size() - size);
    }
    setSize(size);
  }

  /** Zeroes a range that may be far larger than what was ever written. */
  void zero(long offset, long length) {
    dirty = true;
    long end = offset + length;
    for (long index : List.copyOf(sectors.subMap(offset / SECTOR, roundUp(end)).keySet())) {
      long start = index * SECTOR;
      int from = (int) (Math.max(start, offset) - start);
      int to = (int) (Math.min(start + SECTOR, end) - start);
      if (!current(index).isHole()) {
        put(index, current(index).zeroed(from, to));
      }
    }
  }

  /** As {@link io.vdisk.file.HostFile#dataEnd}: a sector that was never written is a hole. */
  long dataEnd(long offset, long limit) {
    long end = limit > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + limit;
    if (offset >= size()) {
      return -end;
    }
    boolean data = !current(offset / SECTOR).isHole();
    long at = offset;
    while (at < end && at < size() && !current(at / SECTOR).isHole() == data) {
      at = data ? (at / SECTOR + 1) * SECTOR : nextWritten(at);
    }
    long to = Math.min(at >= size() && !data ? end : at, end);
    return data ? to : -to;
  }

  Image image(Random random, double loss) throws IOException {
    return image(
        count -> count == 1 || random.nextDouble() < loss ? 0 : 1 + random.nextInt(count - 1),
        sizes.get(random.nextInt(sizes.size())));
  }

  Image durableImage() throws IOException {
    return image(count -> 0, sizes.get(0));
  }

  Image currentImage() throws IOException {
    return image(count -> count - 1, size());
  }

  /**
   * What is left of the file.
   *
   * @param hash of its content and size
   * @param torn whether it ends within a sector and lost something of that sector's value
   */
  record Image(MemoryFile file, long hash, boolean torn) {}

  private Image image(Survivor survivor, long size) throws IOException {
    MemoryFile image = new MemoryFile(name);
    long hash = 0;
    boolean torn = false;
    for (Map.Entry<Long, Sector> entry : sectors.entrySet()) {
      List<SectorValue> values = entry.getValue().values;
      SectorValue value = values.get(survivor.among(values.size()));
      long start = entry.getKey() * SECTOR;
      if (start < size && size - start < value.used()) {
        value = value.zeroed((int) (size - start), SECTOR);
        torn = true;
      }
      if (!value.isHole() && start < size) {
        value.writeTo(image, start);
        hash += value.hashAt(start);
      }
    }
    image.resize(size);
    return new Image(image, SectorValue.mix(hash + size), torn);
  }

  private SectorValue current(long index) {
    Sector sector = sectors.get(index);
    return sector == null ? SectorValue.HOLE : sector.current();
  }

  private void put(long index, SectorValue value) {
    sectors.computeIfAbsent(index, i -> new Sector()).values.add(value);
  }

  private void setSize(long size) {
    if (size != size()) {
      sizes.add(size);
    }
  }

  private long nextWritten(long offset) {
    Long index = sectors.higherKey(offset / SECTOR);
    return index == null ? size() : index * SECTOR;
  }

  private static long roundUp(long offset) {
    return (offset + SECTOR - 1) / SECTOR;
  }
}
