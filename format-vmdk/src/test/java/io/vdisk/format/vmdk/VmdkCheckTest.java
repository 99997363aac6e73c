package io.vdisk.format.vmdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a check finds, and what a repair mends. */
class VmdkCheckTest {
  private static final int SIZE = 40 << 20;
  private static final int GRAIN = 64 << 10;
  private static final int SECTOR = 512;

  private final byte[] model = new byte[SIZE];
  private ByteBuffer image = ByteBuffer.allocate(0);

  /** Where directories and the first tables lie. */
  private int directory;

  private int redundant;
  private int table;
  private int copy;

  @BeforeEach
  void create() throws IOException {
    MemoryFile file = new MemoryFile("image");
    try (BlockDevice device =
        Images.create(file, CreateOptions.of("vmdk", SIZE).withFormats(VmdkSubject.FORMATS))) {
      Random random = new Random(5);
      for (int grain = 0; grain < 600; grain += 3) {
        byte[] bytes = new byte[1000];
        random.nextBytes(bytes);
        device.write(ByteBuffer.wrap(bytes), grain * GRAIN);
        System.arraycopy(bytes, 0, model, grain * GRAIN, bytes.length);
      }
    }
    image = ByteBuffer.allocate((int) file.size()).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(image, 0);
    SparseHeader header = SparseHeader.read(file);
    directory = (int) header.directory() * SECTOR;
    redundant = (int) header.redundantDirectory() * SECTOR;
    table = image.getInt(directory) * SECTOR;
    copy = image.getInt(redundant) * SECTOR;
  }

  private MemoryFile file() throws IOException {
    return new MemoryFile("image", image.array());
  }

  private CheckReport check() throws IOException {
    return check(file());
  }

  private static CheckReport check(MemoryFile file) throws IOException {
    try (BlockDevice device = Images.open(file, Disks.opening(false))) {
      return device.feature(Checking.class).orElseThrow().check(Progress.NONE);
    }
  }

  /** Repairs; the image reads as the model afterwards, and is sound. */
  private CheckReport repair(Repairing.Scope scope) throws IOException {
    MemoryFile file = file();
    CheckReport report;
    try (BlockDevice device = Images.open(file, Disks.opening(true).asReadWrite().forRepair())) {
      report = device.feature(Repairing.class).orElseThrow().repair(scope, Progress.NONE);
    }
    try (BlockDevice device = Images.open(file, Disks.opening(false))) {
      assertArrayEquals(model, Disks.read(device));
    }
    assertEquals(java.util.List.of(), check(file).findings());
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      device.write(ByteBuffer.allocate(100_000), 1_000_000);
    }
    assertEquals(java.util.List.of(), check(file).findings());
    return report;
  }

  @Test
  void soundImageHasNoFindings() throws IOException {
    CheckReport report = check();
    assertEquals(java.util.List.of(), report.findings());
    assertEquals(200, report.allocatedUnits());
    assertEquals(SIZE / GRAIN, report.totalUnits());
    assertEquals(image.capacity(), report.endOffset());
  }

  @Test
  void entryPastTheEndIsAnErrorAndMendedFromTheCopy() throws IOException {
    image.putInt(table + 3 * 4, 0x7000_0000);
    assertEquals(1, check().errors());
    assertTrue(check().findings().get(0).message().contains("grain 3"));
    try (BlockDevice device = Images.open(file(), Disks.opening(false))) {
      assertThrows(CorruptImageException.class, () -> Disks.read(device));
    }
    assertEquals(1, repair(Repairing.Scope.ALL).errorsFixed());
  }

  @Test
  void imageWithABadEntryIsNotWrittenBeforeItIsRepaired() throws IOException {
    image.putInt(table + 3 * 4, 0x7000_0000);
    MemoryFile file = file();
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      CorruptImageException refusal =
          assertThrows(CorruptImageException.class, () -> device.write(ByteBuffer.allocate(1), 0));
      assertTrue(refusal.getMessage().contains("repaired"), refusal.getMessage());
    }
    ByteBuffer now = ByteBuffer.allocate((int) file.size());
    file.readFully(now, 0);
    assertArrayEquals(image.array(), now.array());
  }

  @Test
  void grainThatTwoEntriesNameIsAnErrorAndMendedFromTheCopy() throws IOException {
    image.putInt(table + 6 * 4, image.getInt(table + 3 * 4));
    CheckReport found = check();
    assertEquals(1, found.errors());
    assertTrue(found.findings().get(0).message().contains("something else has"));
    repair(Repairing.Scope.ALL);
  }

  @Test
  void grainInTheTablesIsAnError() throws IOException {
    image.putInt(table + 9 * 4, table / SECTOR);
    assertEquals(1, check().errors());
    image.putInt(table + 9 * 4, directory / SECTOR);
    assertEquals(1, check().errors());
    repair(Repairing.Scope.ALL);
  }

  @Test
  void directoryEntryPastTheEndIsMendedFromTheCopy() throws IOException {
    image.putInt(directory, 0x7fff_ffff);
    assertTrue(check().errors() > 0);
    assertTrue(repairKeeping(), "the table was made again from its copy");
  }

  /** The old table's place is lost space afterwards. */
  private boolean repairKeeping() throws IOException {
    MemoryFile file = file();
    try (BlockDevice device = Images.open(file, Disks.opening(true).forRepair())) {
      CheckReport report =
          device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
      assertTrue(report.errorsFixed() > 0);
    }
    try (BlockDevice device = Images.open(file, Disks.opening(false))) {
      assertArrayEquals(model, Disks.read(device));
    }
    return check(file).errors() == 0;
  }

  @Test
  void redundantDirectoryEntryPastTheEndIsMendedFromTheFirst() throws IOException {
    image.putInt(redundant + 4, 0x7fff_ffff);
    assertTrue(check().errors() > 0);
    assertTrue(repairKeeping());
  }

  @Test
  void copyThatDiffersIsAWarningAndMadeEqual() throws IOException {
    image.putInt(copy + 3 * 4, 0);
    CheckReport found = check();
    assertEquals(0, found.errors());
    assertEquals(1, found.warnings());
    repair(Repairing.Scope.ALL);
  }

  @Test
  void spaceAtTheEndIsLeakedAndGivenBack() throws IOException {
    ByteBuffer longer = ByteBuffer.allocate(image.capacity() + 3 * GRAIN);
    longer.order(ByteOrder.LITTLE_ENDIAN).put(image.duplicate().clear());
    image = longer;
    CheckReport found = check();
    assertEquals(3, found.leaks());
    assertEquals(0, found.errors());
    CheckReport mended = repair(Repairing.Scope.LEAKS);
    assertEquals(3, mended.leaksFixed());
  }

  @Test
  void gapsAreGivenBackByGrainsThatMoveIntoThem() throws IOException {
    for (int grain : new int[] {3, 30, 33, 597}) {
      int entry = grain * 4;
      image.putInt(table + entry, 0);
      image.putInt(copy + entry, 0);
      java.util.Arrays.fill(model, grain * GRAIN, (grain + 1) * GRAIN, (byte) 0);
    }
    assertEquals(4, check().leaks());
    MemoryFile file = file();
    CheckReport report;
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      report =
          device
              .feature(Repairing.class)
              .orElseThrow()
              .repair(Repairing.Scope.LEAKS, Progress.NONE);
      assertArrayEquals(model, Disks.read(device));
    }
    assertEquals(report.leaks(), report.leaksFixed());
    assertEquals(image.capacity() - 4 * GRAIN, file.size());
    assertEquals(java.util.List.of(), check(file).findings());
    try (BlockDevice device = Images.open(file, Disks.opening(false))) {
      assertArrayEquals(model, Disks.read(device));
    }
    repair(Repairing.Scope.LEAKS);
  }

  /** A file that cannot be cut, as a block device is. */
  @Test
  void deviceKeepsItsSizeAndWhatIsRepaired() throws IOException {
    image.put(SparseHeader.UNCLEAN_SHUTDOWN.offset(), (byte) 1);
    image.putInt(copy + 3 * 4, 0);
    image.putInt(table + 30 * 4, 0);
    image.putInt(copy + 30 * 4, 0);
    java.util.Arrays.fill(model, 30 * GRAIN, 31 * GRAIN, (byte) 0);
    MemoryFile memory = file();
    HostFile device =
        new ForwardingFile(memory) {
          @Override
          public long capacity() throws IOException {
            return size();
          }

          @Override
          public void resize(long size) throws IOException {
            throw new IOException("a device has the size that it has");
          }
        };
    try (BlockDevice disk = Images.open(device, Disks.opening(true))) {
      CheckReport report =
          disk.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
      assertEquals(0, report.leaksFixed());
      assertArrayEquals(model, Disks.read(disk));
    }
    assertEquals(0, check(memory).warnings());
    assertFalse(SparseHeader.read(memory).unclean());
  }

  @Test
  void whatNoCopyKnowsBetterStaysAndTheReportSaysSo() throws IOException {
    image.putInt(table + 3 * 4, 0x7000_0000);
    image.putInt(copy + 3 * 4, 0x7000_0000);
    MemoryFile file = file();
    try (BlockDevice device = Images.open(file, Disks.opening(true).forRepair())) {
      CheckReport report =
          device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
      assertEquals(0, report.errorsFixed());
      assertTrue(report.findings().toString().contains("no copy of the tables knows better"));
    }
    assertEquals(1, check(file).errors());
  }

  @Test
  void gapIsLeakedAndUsedAgainByTheNextWrite() throws IOException {
    image.putInt(table + 3 * 4, 0);
    image.putInt(copy + 3 * 4, 0);
    assertEquals(1, check().leaks());
    MemoryFile file = file();
    long before = file.size();
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      device.write(ByteBuffer.wrap(new byte[] {1}), GRAIN);
    }
    assertEquals(before, file.size());
    assertEquals(java.util.List.of(), check(file).findings());
    try (BlockDevice device = Images.open(file, Disks.opening(false))) {
      ByteBuffer grain = ByteBuffer.allocate(GRAIN);
      device.read(grain, GRAIN);
      assertEquals(1, grain.get(0));
      for (int i = 1; i < GRAIN; i++) {
        assertEquals(0, grain.get(i), "old bytes of the gap do not come back");
      }
    }
  }

  @Test
  void uncleanImageIsAWarningAndItsCopiesAreMadeEqualByTheNextWrite() throws IOException {
    image.put(SparseHeader.UNCLEAN_SHUTDOWN.offset(), (byte) 1);
    image.putInt(copy + 3 * 4, 0);
    assertEquals(2, check().warnings());
    MemoryFile file = file();
    try (BlockDevice device = Images.open(file, Disks.opening(true))) {
      device.write(ByteBuffer.allocate(1000), 30 * GRAIN);
      assertTrue(SparseHeader.read(file).unclean());
    }
    assertFalse(SparseHeader.read(file).unclean());
    assertEquals(java.util.List.of(), check(file).findings());
  }

  @Test
  void bothCopiesAreWrittenAndEqual() throws IOException {
    for (int i = 0; i < 2048; i++) {
      assertEquals(image.get(table + i), image.get(copy + i));
    }
    assertTrue(image.getInt(table + 3 * 4) > 0);
  }
}
