package io.vdisk.spi;

import io.vdisk.ImageInfo;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A layout without tables: a map from unit to place, so that tests see what the engine asks for and
 * when. Units of 4 KiB; freed units go through a quarantine of numbered batches.
 */
final class UnitLayout implements WritableLayout {
  static final int UNIT = 4096;

  final HostFile file;
  final long size;
  final List<String> log = new ArrayList<>();
  private final Map<Long, Long> places = new HashMap<>();
  private final List<Long> freed = new ArrayList<>();
  private @Nullable SectorCipher cipher;
  private long end = UNIT;
  private long sealed;
  private long durable;
  private @Nullable IOException nextAllocation;
  private @Nullable IOException nextFlush;
  boolean reuse;
  Runnable recycling = () -> {};

  UnitLayout(HostFile file, long size) {
    this.file = file;
    this.size = size;
  }

  UnitLayout with(SectorCipher sectors) {
    cipher = sectors;
    return this;
  }

  synchronized void failNextAllocation(IOException e) {
    nextAllocation = e;
  }

  synchronized void failNextFlush(IOException e) {
    nextFlush = e;
  }

  synchronized List<String> log() {
    List<String> copy = List.copyOf(log);
    log.clear();
    return copy;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder("units", size, UNIT).build();
  }

  @Override
  public synchronized Mapping map(long offset, long length) {
    long inUnit = offset % UNIT;
    long run = Math.min(length, UNIT - inUnit);
    Long place = places.get(offset / UNIT);
    if (place == null) {
      return Mapping.backing(run);
    }
    return place == 0 ? Mapping.zero(run) : Mapping.stored(file, place + inUnit, run, true);
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return Optional.ofNullable(cipher);
  }

  @Override
  public synchronized void beforeWrite(long offset, long length) {
    log.add("before " + offset + "+" + length);
  }

  @Override
  public synchronized Allocation allocate(long offset, long length) throws IOException {
    IOException failure = nextAllocation;
    if (failure != null) {
      nextAllocation = null;
      throw failure;
    }
    long unit = offset / UNIT;
    long inUnit = offset % UNIT;
    boolean zeroed = !reuse;
    long place = end;
    end += UNIT;
    long taken = Math.min(length, UNIT - inUnit);
    log.add("allocate " + offset + "+" + length);
    return new Space(unit, place, inUnit, taken, zeroed);
  }

  @Override
  public synchronized long zero(long offset, long length, boolean keepSpace) {
    for (long unit = offset / UNIT; unit * UNIT < offset + length; unit++) {
      Long place = places.put(unit, 0L);
      if (place != null && place != 0) {
        freed.add(place);
      }
    }
    log.add("zero " + offset + "+" + length);
    return length;
  }

  @Override
  public void flush() throws IOException {
    synchronized (this) {
      log.add("flush");
      IOException failure = nextFlush;
      if (failure != null) {
        nextFlush = null;
        throw failure;
      }
      if (!freed.isEmpty()) {
        sealed++;
      }
      durable = sealed;
    }
    file.flush();
  }

  @Override
  public synchronized long durableBatch() {
    return durable;
  }

  @Override
  public synchronized long quarantinedBytes() {
    return (long) freed.size() * UNIT;
  }

  @Override
  public synchronized void recycle(long batch) {
    log.add("recycle " + batch);
    recycling.run();
    freed.clear();
  }

  @Override
  public synchronized void reload() {
    log.add("reload");
  }

  @Override
  public synchronized void close() {
    log.add("close");
  }

  private final class Space implements Allocation {
    private final long unit;
    private final long place;
    private final long inUnit;
    private final long taken;
    private final boolean zeroed;

    Space(long unit, long place, long inUnit, long taken, boolean zeroed) {
      this.unit = unit;
      this.place = place;
      this.inUnit = inUnit;
      this.taken = taken;
      this.zeroed = zeroed;
    }

    @Override
    public HostFile file() {
      return file;
    }

    @Override
    public long fileOffset() {
      return place + inUnit;
    }

    @Override
    public long length() {
      return taken;
    }

    @Override
    public long head() {
      return inUnit;
    }

    @Override
    public long tail() {
      return UNIT - inUnit - taken;
    }

    @Override
    public boolean zeroed() {
      return zeroed;
    }

    @Override
    public void commit() {
      synchronized (UnitLayout.this) {
        places.put(unit, place);
        log.add("commit " + unit);
      }
    }

    @Override
    public void abort() {
      synchronized (UnitLayout.this) {
        log.add("abort " + unit);
      }
    }
  }
}
