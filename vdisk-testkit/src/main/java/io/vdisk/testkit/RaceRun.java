package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Several threads on the same units of a new image, each with sectors of its own. */
final class RaceRun {
  private static final int THREADS = 4;
  private static final int MOST_UNITS = 9;

  /** One unit of so many is zeroed and discarded besides being written. */
  private static final int ZEROED_UNITS = 2;

  /** Sectors at either end of a unit that are used: a unit may have thousands. */
  private static final int MOST_SECTORS = 16;

  private static final int SECTOR = SectorModel.SECTOR;

  private final Subject subject;
  private final long seed;
  private final Afterwards afterwards;
  private final List<HostFile> files = new ArrayList<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  RaceRun(Subject subject, long seed, boolean withBacking) {
    this.subject = subject;
    this.seed = seed;
    this.afterwards = new Afterwards(subject, withBacking);
  }

  /** Runs {@code operations} in each thread. */
  void run(int operations) throws IOException, InterruptedException {
    List<HostFile> made = new ArrayList<>();
    for (int i = 0; i < subject.files(); i++) {
      made.add(new YieldingFile(new MemoryFile("image" + i), seed));
    }
    files.addAll(KeptFile.of(made));
    try {
      subject.create(files, subject.size(), afterwards.backing());
      race(operations);
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("seed " + seed + afterwards + ": " + e, e);
    }
  }

  private void race(int operations) throws IOException, InterruptedException {
    RaceSectors sectors;
    try (BlockDevice device = subject.open(files, true, afterwards.backing())) {
      long unit = Afterwards.unit(device);
      long[] numbers = numbers(unit);
      sectors = new RaceSectors(numbers, afterwards::untouched);
      runThreads(device, unit, sectors, operations);
      checkFinal(device, sectors);
    }
    afterwards.check(files);
    try (BlockDevice device = subject.open(files, false, afterwards.backing())) {
      checkFinal(device, sectors);
    }
  }

  /** Sectors at the ends of units, in ascending order; none that the end of the disk cuts short. */
  private long[] numbers(long unit) {
    long perUnit = unit / SECTOR;
    long all = subject.size() / SECTOR;
    long units = Math.min(MOST_UNITS, (all + perUnit - 1) / perUnit);
    return LongStream.range(0, units * perUnit)
        .filter(s -> s % perUnit < MOST_SECTORS || perUnit - s % perUnit <= MOST_SECTORS)
        .filter(s -> s < all)
        .toArray();
  }

  private void runThreads(BlockDevice device, long unit, RaceSectors sectors, int operations)
      throws InterruptedException {
    CyclicBarrier start = new CyclicBarrier(THREADS);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      Racer racer = new Racer(t, device, unit, sectors);
      Thread thread =
          new Thread(
              () -> {
                try {
                  start.await();
                  racer.run(operations);
                } catch (Throwable e) {
                  failure.compareAndSet(null, e);
                }
              },
              "racer-" + t);
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Throwable first = failure.get();
    if (first != null) {
      throw new AssertionError(first.toString(), first);
    }
  }

  private static void checkFinal(BlockDevice device, RaceSectors sectors) throws IOException {
    for (int i = 0; i < sectors.count(); i++) {
      byte[] found = new byte[SECTOR];
      device.read(ByteBuffer.wrap(found), sectors.sector(i) * SECTOR);
      sectors.checkFinal(i, found);
    }
  }

  /** One thread. */
  private final class Racer {
    private final int number;
    private final BlockDevice device;
    private final long unit;
    private final RaceSectors sectors;
    private final Random random;

    /** The highest counter seen of each sector. */
    private final long[] seen;

    Racer(int number, BlockDevice device, long unit, RaceSectors sectors) {
      this.number = number;
      this.device = device;
      this.unit = unit;
      this.sectors = sectors;
      this.random = new Random(seed * THREADS + number);
      this.seen = new long[sectors.count()];
    }

    void run(int operations) throws IOException {
      for (int i = 0; i < operations && failure.get() == null; i++) {
        int dice = random.nextInt(100);
        if (dice < 50) {
          write(random.nextInt(sectors.count()));
        } else if (dice < 85) {
          read(random.nextInt(sectors.count()));
        } else if (dice < 97) {
          zero(random.nextInt(sectors.count()), dice % 2 == 0);
        } else {
          device.flush();
        }
      }
    }

    private void write(int near) throws IOException {
      int i = near;
      while (i < sectors.count() && sectors.sector(i) % THREADS != number) {
        i++;
      }
      if (i < sectors.count()) {
        byte[] bytes = sectors.beginWrite(i);
        device.write(ByteBuffer.wrap(bytes), sectors.sector(i) * SECTOR);
        sectors.endWrite(i);
        read(i);
      }
    }

    /** Reads some neighbouring sectors. */
    private void read(int first) throws IOException {
      int end = first + 1;
      int most = first + 1 + random.nextInt(8);
      while (end < Math.min(most, sectors.count())
          && sectors.sector(end) == sectors.sector(end - 1) + 1) {
        end++;
      }
      long[] least = new long[end - first];
      for (int i = first; i < end; i++) {
        least[i - first] = Math.max(sectors.least(i), seen[i]);
      }
      byte[] bytes = new byte[(end - first) * SECTOR];
      device.read(ByteBuffer.wrap(bytes), sectors.sector(first) * SECTOR);
      for (int i = first; i < end; i++) {
        int at = (i - first) * SECTOR;
        byte[] found = Arrays.copyOfRange(bytes, at, at + SECTOR);
        seen[i] = Math.max(seen[i], sectors.value(i, found, least[i - first]));
      }
    }

    /** Zeroes or discards the whole unit of a sector, if it is one of those. */
    private void zero(int sector, boolean sure) throws IOException {
      long first = sectors.sector(sector) * SECTOR / unit;
      if (first % ZEROED_UNITS != 0) {
        return;
      }
      int from = sector;
      while (from > 0 && sectors.sector(from - 1) * SECTOR / unit == first) {
        from--;
      }
      int to = sector + 1;
      while (to < sectors.count() && sectors.sector(to) * SECTOR / unit == first) {
        to++;
      }
      long[] ended = sectors.beginZeroing(from, to);
      long length = Math.min(unit, subject.size() - first * unit);
      if (sure) {
        device.writeZeroes(first * unit, length);
      } else {
        device.discard(first * unit, length);
      }
      sectors.endZeroing(from, ended, sure);
    }
  }
}
