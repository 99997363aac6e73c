package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a read gives, and what it does to the buffer. */
abstract class ReadingCases extends DeviceCases {
  private static final long SEED = 20_260_101;

  /** Stands around the part of a buffer that a read may fill. */
  private static final byte GUARD = (byte) 0xa5;

  ReadingCases(BlockDeviceContract contract) {
    super(contract);
  }

  @Test
  void anEmptyDiskReadsAsZero() throws IOException {
    assertHolds(new byte[size()], empty());
  }

  @Test
  void readsOfAnyOffsetAndLengthGiveWhatWasWritten() throws IOException {
    byte[] content = bytes(size(), 1);
    BlockDevice device = holding(content);
    Random random = new Random(SEED);
    for (int i = 0; i < 300; i++) {
      int offset = random.nextInt(size());
      int most = i % 2 == 0 ? 5000 : size();
      int length = 1 + random.nextInt(Math.min(most, size() - offset));
      byte[] expected = Arrays.copyOfRange(content, offset, offset + length);
      assertSame(expected, read(device, offset, length), offset);
    }
  }

  @Test
  void readsThatTouchAUnitsBoundaryGiveBothSides() throws IOException {
    byte[] content = bytes(size(), 2);
    BlockDevice device = holding(content);
    for (int boundary = unit(); boundary < size(); boundary += unit()) {
      for (int before = 0; before <= 2; before++) {
        for (int after = before == 0 ? 1 : 0; after <= 2; after++) {
          int offset = boundary - before;
          byte[] expected = Arrays.copyOfRange(content, offset, boundary + after);
          assertSame(expected, read(device, offset, before + after), offset);
        }
      }
    }
  }

  @Test
  void theFirstAndTheLastByteCanBeReadAlone() throws IOException {
    byte[] content = bytes(size(), 3);
    BlockDevice device = holding(content);
    assertEquals(content[0], read(device, 0, 1)[0]);
    assertEquals(content[size() - 1], read(device, size() - 1, 1)[0]);
  }

  @Test
  void oneReadSpansDataAndWhatWasNeverWritten() throws IOException {
    byte[] expected = new byte[size()];
    BlockDevice device = empty();
    write(device, expected, bytes(700, 4), unit() - 300);
    write(device, expected, bytes(unit(), 5), 3 * unit());
    assertHolds(expected, device);
  }

  @Test
  void aReadOfNothingIsAllowedAtEveryOffset() throws IOException {
    BlockDevice device = holding(bytes(size(), 6));
    for (int offset : new int[] {0, 1, unit() - 1, unit(), size() - 1, size()}) {
      ByteBuffer dst = ByteBuffer.allocate(8).position(3).limit(3);
      device.read(dst, offset);
      assertEquals(3, dst.position());
      assertEquals(3, dst.limit());
    }
  }

  @Test
  void aHeapBufferIsFilledBetweenPositionAndLimit() throws IOException {
    assertFills(ByteBuffer.allocate(3 * unit()));
  }

  @Test
  void aDirectBufferIsFilledBetweenPositionAndLimit() throws IOException {
    assertFills(ByteBuffer.allocateDirect(3 * unit()));
  }

  @Test
  void aSliceOfAHeapBufferIsFilledBetweenPositionAndLimit() throws IOException {
    assertFills(ByteBuffer.allocate(3 * unit() + 50).position(17).slice());
  }

  @Test
  void aSliceOfADirectBufferIsFilledBetweenPositionAndLimit() throws IOException {
    assertFills(ByteBuffer.allocateDirect(3 * unit() + 50).position(17).slice());
  }

  /** Reads data, what was never written, and data again into the middle of {@code dst}. */
  private void assertFills(ByteBuffer dst) throws IOException {
    byte[] content = new byte[size()];
    BlockDevice device = empty();
    write(device, content, bytes(unit() - 100, 7), 0);
    write(device, content, bytes(unit(), 8), 2 * unit());
    int position = 5;
    int length = 2 * unit() + 33;
    int offset = 11;
    for (int i = 0; i < dst.capacity(); i++) {
      dst.put(i, GUARD);
    }
    dst.position(position).limit(position + length);

    device.read(dst, offset);

    assertEquals(position + length, dst.position(), "position");
    assertEquals(position + length, dst.limit(), "limit");
    byte[] expected = new byte[dst.capacity()];
    Arrays.fill(expected, GUARD);
    System.arraycopy(content, offset, expected, position, length);
    byte[] actual = new byte[dst.capacity()];
    dst.clear().get(actual);
    assertSame(expected, actual, offset - position);
  }
}
