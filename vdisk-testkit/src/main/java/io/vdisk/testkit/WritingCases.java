package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a write changes, what it leaves, and what it does to the buffer. */
abstract class WritingCases extends DeviceCases {
  private static final long SEED = 20_260_102;

  WritingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void aWriteIntoAnEmptyDiskLeavesEverythingElseZero() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(777, 1), unit() + 333);
    assertHolds(expected, device);
  }

  @Test
  void aWriteIntoDataLeavesItsNeighbours() throws IOException {
    byte[] expected = bytes(size(), 2);
    BlockDevice device = holding(expected.clone());
    write(device, expected, bytes(777, 3), unit() + 333);
    assertHolds(expected, device);
  }

  @Test
  void aWriteAcrossUnitsReachesAllOfThem() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(2 * unit() + 20, 4), unit() - 10);
    assertHolds(expected, device);
  }

  @Test
  void aWriteThatMeetsTouchedAndUntouchedUnitsJoinsThem() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(100, 5), unit() + 50);
    write(device, expected, bytes(100, 6), 3 * unit() + 50);
    write(device, expected, bytes(3 * unit(), 7), unit() / 2);
    assertHolds(expected, device);
  }

  @Test
  void theFirstByteCanBeWrittenAlone() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(1, 8), 0);
    assertHolds(expected, device);
  }

  @Test
  void theLastByteCanBeWrittenAlone() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(1, 9), size() - 1);
    assertHolds(expected, device);
  }

  @Test
  void theWholeDiskCanBeWrittenInOneRequest() throws IOException {
    byte[] content = bytes(size(), 10);
    assertHolds(content, holding(content));
  }

  @Test
  void requestsOfSeveralMebibytesAreWhole() throws IOException {
    int size = 4 * Math.max(unit(), 1 << 20) + contract.sizeStep();
    byte[] expected = new byte[size];
    BlockDevice device = create(size);
    write(device, expected, bytes(size - 555, 11), 222);
    assertHolds(expected, device);
  }

  @Test
  void aDiskThatIsSmallerThanAUnitHoldsItsBytes() throws IOException {
    byte[] content = bytes(contract.sizeStep(), 12);
    assertHolds(content, holding(content));
  }

  @Test
  void laterWritesWinOverEarlierOnes() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    Random random = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      int offset = random.nextInt(size());
      int length = 1 + random.nextInt(Math.min(size() - offset, i % 4 == 0 ? 2 * unit() : 3000));
      write(device, expected, bytes(length, i), offset);
    }
    assertHolds(expected, device);
  }

  @Test
  void aWriteOfNothingIsAllowedAtEveryOffsetAndChangesNothing() throws IOException {
    byte[] content = bytes(size(), 13);
    BlockDevice device = holding(content);
    for (int offset : new int[] {0, 1, unit() - 1, unit(), size() - 1, size()}) {
      device.write(ByteBuffer.allocate(0), offset);
    }
    assertHolds(content, device);
  }

  @Test
  void aHeapBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocate(3 * unit()), false);
  }

  @Test
  void aDirectBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocateDirect(3 * unit()), false);
  }

  @Test
  void aReadOnlyHeapBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocate(3 * unit()), true);
  }

  @Test
  void aReadOnlyDirectBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocateDirect(3 * unit()), true);
  }

  @Test
  void aSliceOfAHeapBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocate(3 * unit() + 50).position(17).slice(), false);
  }

  @Test
  void aSliceOfADirectBufferIsWrittenFromPositionToLimit() throws IOException {
    assertWrites(ByteBuffer.allocateDirect(3 * unit() + 50).position(17).slice(), false);
  }

  /** Writes the middle of {@code src} over data and over nothing. */
  private void assertWrites(ByteBuffer src, boolean readOnly) throws IOException {
    byte[] content = bytes(src.capacity(), 14);
    src.put(content).clear();
    int position = 5;
    int length = 2 * unit() + 33;
    int offset = 11;
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(unit(), 15), unit() / 2);
    ByteBuffer given = readOnly ? src.asReadOnlyBuffer() : src;
    given.position(position).limit(position + length);

    device.write(given, offset);

    assertEquals(position + length, given.position(), "position");
    assertEquals(position + length, given.limit(), "limit");
    byte[] after = new byte[src.capacity()];
    src.clear().get(after);
    assertSame(content, after, 0);
    System.arraycopy(content, position, expected, offset, length);
    assertHolds(expected, device);
  }
}
