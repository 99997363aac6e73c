package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A second device that gets every change. */
final class MirroredDeviceTest {
  private static final int SIZE = 200 << 20;

  private BlockDevice first;
  private BlockDevice second;
  private boolean isBroken;
  private int flushes;
  private MirroredDevice mirrored;

  @BeforeEach
  void open() throws Exception {
    first = Images.ram(SIZE);
    second = Images.ram(SIZE);
    mirrored = new MirroredDevice(first, new Breakable(second), "ram:mirror");
  }

  @AfterEach
  void close() throws Exception {
    first.close();
    second.close();
  }

  private final class Breakable extends ForwardingDevice {
    Breakable(BlockDevice device) {
      super(device);
    }

    private void check() throws IOException {
      if (isBroken) {
        throw new IOException("the second device is gone");
      }
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      check();
      super.write(src, offset);
    }

    @Override
    public void flush() throws IOException {
      check();
      flushes++;
      super.flush();
    }
  }

  private void assertSame(long offset, int length) throws Exception {
    assertArrayEquals(Bytes.read(first, offset, length), Bytes.read(second, offset, length));
  }

  @Test
  void bothGetEveryChange() throws Exception {
    Bytes.write(mirrored, 512, 7, 8192);
    mirrored.writeZeroes(1024, 512);
    mirrored.discard(4096, 4096);
    mirrored.flush();
    assertArrayEquals(Bytes.of(7, 512), Bytes.read(second, 512, 512));
    assertArrayEquals(new byte[512], Bytes.read(second, 1024, 512));
    assertSame(0, 65_536);
    assertEquals(1, flushes);
  }

  @Test
  void bothGetTheSameBytesWhateverAGuestDoesToItsPagesMeanwhile() throws Exception {
    ByteBuffer pages = ByteBuffer.wrap(Bytes.of(1, 4096));
    BlockDevice changed =
        new ForwardingDevice(first) {
          @Override
          public void write(ByteBuffer src, long offset) throws IOException {
            super.write(src, offset);
            pages.put(0, (byte) 9);
          }
        };
    ByteBuffer written = pages.duplicate();
    new MirroredDevice(changed, second, "ram:mirror").write(written, 0);
    assertFalse(written.hasRemaining());
    assertArrayEquals(Bytes.of(1, 4096), Bytes.read(first, 0, 4096));
    assertSame(0, 4096);
  }

  @Test
  void aSecondForWhichMemoryIsMissingIsNoCopyEither() throws Exception {
    BlockDevice poor =
        new ForwardingDevice(second) {
          @Override
          public void write(ByteBuffer src, long offset) {
            throw new OutOfMemoryError("Direct buffer memory");
          }
        };
    mirrored = new MirroredDevice(first, poor, "ram:mirror");
    try {
      Bytes.write(mirrored, 0, 1, 4096);
    } catch (OutOfMemoryError e) {
      throw new AssertionError("a guest's write fails", e); // which the engine would end for
    }
    assertTrue(mirrored.hasFailed());
  }

  @Test
  void readsAreTheFirstsAlone() throws Exception {
    Bytes.write(second, 0, 1, 512);
    assertArrayEquals(new byte[512], Bytes.read(mirrored, 0, 512));
  }

  @Test
  void anErrorOfTheSecondEndsTheMirrorAndFailsNoGuest() throws Exception {
    isBroken = true;
    Bytes.write(mirrored, 0, 7, 512);
    assertTrue(mirrored.hasFailed());
    isBroken = false;
    Bytes.write(mirrored, 512, 7, 512);
    mirrored.flush();
    assertArrayEquals(Bytes.of(7, 1024), Bytes.read(mirrored, 0, 1024));
    assertArrayEquals(new byte[1024], Bytes.read(second, 0, 1024));
    assertEquals(0, flushes);
  }

  @Test
  void aFlushThatFailsOnTheSecondEndsTheMirrorToo() throws Exception {
    isBroken = true;
    mirrored.flush();
    assertTrue(mirrored.hasFailed());
  }

  @Test
  void anErrorOfTheFirstIsTheGuests() throws Exception {
    MirroredDevice other =
        new MirroredDevice(
            new ForwardingDevice(first) {
              @Override
              public void write(ByteBuffer src, long offset) throws IOException {
                throw new IOException("the first device is gone");
              }
            },
            second,
            "ram:mirror");
    assertThrows(IOException.class, () -> Bytes.write(other, 0, 1, 512));
    assertArrayEquals(new byte[512], Bytes.read(second, 0, 512));
    assertFalse(other.hasFailed());
    assertThrows(IndexOutOfBoundsException.class, () -> Bytes.write(mirrored, SIZE, 1, 512));
    assertThrows(IndexOutOfBoundsException.class, () -> mirrored.discard(-1, 512));
    assertFalse(mirrored.hasFailed());
  }

  @Test
  void howeverManyWriteTheSameRangesTheCopyIsOne() throws Exception {
    long seed = 4711;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int number = i;
      Thread thread =
          new Thread(
              () -> {
                Random random = new Random(seed + number);
                try {
                  for (int j = 0; j < 2000; j++) {
                    long offset = (1 << 20) - 8192 + 512L * random.nextInt(24);
                    Bytes.write(mirrored, offset, random.nextInt(), 4096);
                  }
                  mirrored.discard(0, SIZE / 2);
                  mirrored.writeZeroes(SIZE / 4, SIZE / 2);
                  Bytes.write(mirrored, 5 << 20, number, 3 << 20);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertSame(0, 16 << 20);
  }
}
