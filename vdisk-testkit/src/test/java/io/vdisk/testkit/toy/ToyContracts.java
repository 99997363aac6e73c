package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.BackingContract;
import io.vdisk.testkit.BlockDeviceContract;
import io.vdisk.testkit.CrashContract;
import io.vdisk.testkit.FaultContract;
import io.vdisk.testkit.RaceContract;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every toy keeps: the contracts, and equality with an array of bytes. */
abstract class ToyContracts {
  /** The toy under test. */
  abstract ToySubject subject();

  /** The toy for threads, which may need more spare space. */
  ToySubject racing() {
    return subject();
  }

  /** The files of the image that was made last. */
  private List<HostFile> files = List.of();

  static List<HostFile> emptyFiles(int count) {
    List<HostFile> made = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      made.add(new MemoryFile("file" + i));
    }
    return made;
  }

  private BlockDevice create(long size) throws IOException {
    files = emptyFiles(subject().files());
    subject().create(files, size, Optional.empty());
    return subject().open(files, true, Optional.empty());
  }

  private BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
    device.close();
    return subject().open(files, writable, Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "3, true", "4, true"})
  void readsAsAnArrayDoes(long seed, boolean hasBacking) throws IOException {
    assertTrue(new RandomUse(subject(), seed, hasBacking).run(1500).allocatedUnits() > 0);
  }

  /** Host flushes of a guest's flush after an allocation: data, then the table that names it. */
  int allocationFlushes() {
    return 2;
  }

  @Test
  void inPlaceWriteCostsOneHostFlushAndAllocationOneMore() throws IOException {
    List<FlushCounter> counters = new ArrayList<>();
    for (int i = 0; i < subject().files(); i++) {
      counters.add(new FlushCounter("file" + i));
    }
    List<HostFile> images = List.copyOf(counters);
    int unit = subject().format().unit();
    subject().create(images, 8L * unit, Optional.empty());
    try (BlockDevice device = subject().open(images, true, Optional.empty())) {
      int unused = flushesAfterWrite(device, 0, counters);
      assertEquals(allocationFlushes(), flushesAfterWrite(device, 2 * unit, counters));
      assertEquals(1, flushesAfterWrite(device, 2 * unit, counters), "in place");
      device.flush();
      assertEquals(0, taken(counters));
    }
  }

  private static int flushesAfterWrite(BlockDevice device, int offset, List<FlushCounter> counters)
      throws IOException {
    int before = taken(counters);
    device.write(ByteBuffer.allocate(1), offset);
    assertEquals(0, taken(counters), "host flushes by the write, " + before + " before");
    device.flush();
    return taken(counters);
  }

  private static int taken(List<FlushCounter> counters) {
    return counters.stream().mapToInt(FlushCounter::take).sum();
  }

  /** Bytes that are copied up at a time. */
  int granule() {
    return subject().format().unit();
  }

  @Test
  void writeCopiesUpNoMoreThanItsGranule() throws IOException {
    int unit = subject().format().unit();
    ToySubject below = new ToySubject(new RefcountedFormat(), 1, 4L * unit);
    List<HostFile> backingFiles = emptyFiles(1);
    below.create(backingFiles, below.size(), Optional.empty());
    try (BlockDevice backing = below.open(backingFiles, true, Optional.empty())) {
      backing.write(ByteBuffer.wrap(new byte[4 * unit]).put(0, (byte) 1), 0);
      files = emptyFiles(subject().files());
      subject().create(files, below.size(), Optional.of(backing));
      try (BlockDevice device = subject().open(files, true, Optional.of(backing))) {
        long start = 2L * unit - granule();
        device.write(ByteBuffer.allocate(1), start + granule() / 2);
        assertEquals(1, device.extentAt(start - 1, 1).depth());
        assertEquals(0, device.extentAt(start, granule()).depth());
        assertEquals(granule(), device.extentAt(start, 2L * granule()).length());
        assertEquals(1, device.extentAt(start + granule(), 1).depth());
      }
    }
  }

  @Nested
  class Devices extends BlockDeviceContract {
    @Override
    protected BlockDevice create(long size) throws IOException {
      return ToyContracts.this.create(size);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      return ToyContracts.this.reopen(device, writable);
    }

    /** At least 4 KiB: the tests write up to that within a unit. */
    @Override
    protected int unit() {
      return Math.max(4096, subject().format().unit());
    }

    @Override
    protected boolean isEnciphered() {
      return subject().format() instanceof EncryptedFormat;
    }
  }

  @Nested
  class PowerCuts extends CrashContract {
    @Override
    protected Subject subject() {
      return ToyContracts.this.subject();
    }

    @Override
    protected String name() {
      return ToyContracts.this.getClass().getSimpleName();
    }
  }

  @Nested
  class Faults extends FaultContract {
    @Override
    protected Subject subject() {
      return ToyContracts.this.subject();
    }
  }

  @Nested
  class Races extends RaceContract {
    @Override
    protected Subject subject() {
      return racing();
    }
  }

  @Nested
  class OverBacking extends BackingContract {
    @Override
    protected BlockDevice create(long size, BlockDevice backing) throws IOException {
      files = emptyFiles(ToyContracts.this.subject().files());
      ToyContracts.this.subject().create(files, size, Optional.of(backing));
      return ToyContracts.this.subject().open(files, true, Optional.of(backing));
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, BlockDevice backing, boolean writable)
        throws IOException {
      device.close();
      return ToyContracts.this.subject().open(files, writable, Optional.of(backing));
    }

    @Override
    protected int unit() {
      return Math.max(4096, ToyContracts.this.subject().format().unit());
    }
  }
}
