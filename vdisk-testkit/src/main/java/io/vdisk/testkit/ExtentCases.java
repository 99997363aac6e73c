package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a device says of the places of its bytes. */
abstract class ExtentCases extends DeviceCases {
  private static final long SEED = 20_260_103;

  ExtentCases(BlockDeviceContract contract) {
    super(contract);
  }

  /** Data, what was never written, and zeroed data, in whole units and in parts. */
  private BlockDevice mixed() throws IOException {
    BlockDevice device = empty();
    write(device, bytes(unit(), 1), 0);
    write(device, bytes(600, 2), 2 * unit() + 1000 % unit());
    write(device, bytes(unit(), 3), 3L * unit());
    device.writeZeroes(3L * unit(), unit());
    write(device, bytes(contract.sizeStep(), 4), 4L * unit());
    return device;
  }

  @Test
  void extentsCoverTheDiskInOrderAndWithoutGaps() throws IOException {
    for (BlockDevice device : List.of(empty(), holding(bytes(size(), 5)), mixed())) {
      assertCovered(device, 0, size());
    }
  }

  @Test
  void extentsOfAPartBeginAndEndWithIt() throws IOException {
    BlockDevice device = mixed();
    assertCovered(device, 1, size() - 2);
    assertCovered(device, unit() - 1, 2 * unit() + 2);
    assertCovered(device, size() - 1, 1);
  }

  @Test
  void extentsOfNothingAreNone() throws IOException {
    BlockDevice device = mixed();
    for (int offset : new int[] {0, 1, unit(), size()}) {
      assertFalse(device.extents(offset, 0).iterator().hasNext());
    }
  }

  @Test
  void neighboursOfOneKindAndPlaceAreMerged() throws IOException {
    List<Extent> extents = list(mixed(), 0, size());
    for (int i = 1; i < extents.size(); i++) {
      Extent first = extents.get(i - 1);
      Extent second = extents.get(i);
      assertFalse(continues(first, second), first + ", then " + second);
    }
  }

  @Test
  void anExtentBeginsWhereItWasAskedForAndKeepsWithinTheLimit() throws IOException {
    BlockDevice device = mixed();
    Random random = new Random(SEED);
    for (int i = 0; i < 300; i++) {
      int offset = random.nextInt(size());
      int limit = 1 + random.nextInt(i % 3 == 0 ? 1 : size() - offset);
      Extent extent = device.extentAt(offset, limit);
      assertEquals(offset, extent.offset());
      assertTrue(extent.length() > 0 && extent.length() <= limit, extent + ", limit " + limit);
    }
  }

  @Test
  void anExtentAtAByteAgreesWithTheExtentsOfTheDisk() throws IOException {
    BlockDevice device = mixed();
    for (Extent extent : device.extents(0, size())) {
      for (long offset : new long[] {extent.offset(), extent.offset() + extent.length() - 1}) {
        Extent one = device.extentAt(offset, 1);
        assertEquals(extent.kind(), one.kind(), () -> one + " in " + extent);
        assertEquals(extent.depth(), one.depth(), () -> one + " in " + extent);
        assertEquals(extent.file(), one.file(), () -> one + " in " + extent);
      }
    }
  }

  @Test
  void whatIsZeroOrAHoleReadsAsZero() throws IOException {
    for (BlockDevice device : List.of(empty(), mixed(), discarded())) {
      for (Extent extent : device.extents(0, size())) {
        if (extent.readsAsZero()) {
          int length = Math.toIntExact(extent.length());
          assertSame(new byte[length], read(device, extent.offset(), length), extent.offset());
        }
      }
    }
  }

  @Test
  void theHostFileOfDataHoldsTheBytesThere() throws IOException {
    BlockDevice device = mixed();
    for (Extent extent : device.extents(0, size())) {
      if (extent.file().isPresent() && !extent.isEncoded() && !contract.isEnciphered()) {
        HostFile file = extent.file().get();
        int length = Math.toIntExact(extent.length());
        ByteBuffer stored = ByteBuffer.allocate(length);
        file.readPadded(stored, extent.fileOffset());
        assertSame(read(device, extent.offset(), length), stored.array(), extent.offset());
      }
    }
  }

  @Test
  void whatIsNotDataHasNoHostFile() throws IOException {
    for (Extent extent : mixed().extents(0, size())) {
      assertTrue(extent.kind() == Extent.Kind.DATA || extent.file().isEmpty(), extent.toString());
      assertEquals(extent.file().isPresent(), extent.fileOffset() >= 0, extent.toString());
    }
  }

  @Test
  void withoutABackingFileEveryDepthIsZero() throws IOException {
    for (Extent extent : mixed().extents(0, size())) {
      assertEquals(0, extent.depth(), extent.toString());
    }
  }

  @Test
  void everyIterationSeesWhatIsThereThen() throws IOException {
    BlockDevice device = empty();
    Iterable<Extent> extents = device.extents(0, size());
    List<Extent> before = new ArrayList<>();
    extents.forEach(before::add);
    write(device, bytes(unit(), 6), unit());
    boolean data = false;
    for (Extent extent : extents) {
      data |= extent.kind() == Extent.Kind.DATA && extent.offset() + extent.length() > unit();
    }
    assertTrue(data, "the unit that was written after " + before);
  }

  @Test
  void lookingAtExtentsChangesNothing() throws IOException {
    BlockDevice device = mixed();
    byte[] content = readAll(device);
    List<Extent> once = list(device, 0, size());
    assertEquals(once, list(device, 0, size()));
    assertHolds(content, device);
  }

  @Test
  void extentsOutsideTheDiskAreRefused() throws IOException {
    BlockDevice device = mixed();
    for (long[] range : ArgumentCases.outside(size())) {
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> device.extents(range[0], range[1]).iterator(),
          () -> "extents of " + Arrays.toString(range));
      if (range[1] > 0) {
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> device.extentAt(range[0], range[1]),
            () -> "extent at " + Arrays.toString(range));
      }
    }
  }

  private BlockDevice discarded() throws IOException {
    BlockDevice device = holding(bytes(size(), 7));
    device.discard(unit() - 9, 2 * unit() + 99);
    return device;
  }

  static List<Extent> list(BlockDevice device, long offset, long length) {
    List<Extent> extents = new ArrayList<>();
    device.extents(offset, length).forEach(extents::add);
    return extents;
  }

  static void assertCovered(BlockDevice device, long offset, long length) {
    long position = offset;
    for (Extent extent : device.extents(offset, length)) {
      assertEquals(position, extent.offset(), extent.toString());
      assertTrue(extent.length() > 0, extent.toString());
      position += extent.length();
    }
    assertEquals(offset + length, position, "end of the extents");
  }

  private static boolean continues(Extent first, Extent second) {
    return first.kind() == second.kind()
        && first.depth() == second.depth()
        && Objects.equals(first.file(), second.file())
        && !first.isEncoded()
        && !second.isEncoded()
        && (first.file().isEmpty() || first.fileOffset() + first.length() == second.fileOffset());
  }
}
