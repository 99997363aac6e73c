package io.vdisk.spi.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RawDeflateTest {
  private static final int UNIT = 65_536;

  private final RawDeflate deflate = new RawDeflate();

  private static byte[] text() {
    byte[] unit = new byte[UNIT];
    for (int i = 0; i < UNIT; i++) {
      unit[i] = (byte) ("clusters of sixty-four KiB ".charAt(i % 27) + i / 9000);
    }
    return unit;
  }

  private ByteBuffer encoded(byte[] unit) {
    ByteBuffer target = ByteBuffer.allocate(UNIT);
    ByteBuffer source = ByteBuffer.wrap(unit);
    int length = deflate.deflate(source, target, UNIT - 1);
    assertEquals(length, target.position());
    assertFalse(source.hasRemaining());
    return target.flip();
  }

  @Test
  void unitComesBack() {
    byte[] unit = text();
    ByteBuffer encoded = encoded(unit);
    assertTrue(encoded.remaining() < 2000);
    for (ByteBuffer target : new ByteBuffer[] {ByteBuffer.allocate(UNIT), direct()}) {
      assertTrue(deflate.inflate(encoded.duplicate(), target));
      byte[] bytes = new byte[UNIT];
      target.flip().get(bytes);
      assertArrayEquals(unit, bytes);
    }
  }

  private static ByteBuffer direct() {
    return ByteBuffer.allocateDirect(UNIT);
  }

  @Test
  void bytesBehindTheStreamAreLeftAlone() {
    byte[] unit = text();
    ByteBuffer encoded = encoded(unit);
    byte[] padded = Arrays.copyOf(encoded.array(), encoded.limit() + 511);
    ByteBuffer target = ByteBuffer.allocate(UNIT);
    assertTrue(deflate.inflate(ByteBuffer.wrap(padded), target));
    assertArrayEquals(unit, target.array());
  }

  @Test
  void whatDoesNotShrinkIsNotEncoded() {
    byte[] noise = new byte[UNIT];
    new Random(1).nextBytes(noise);
    ByteBuffer target = ByteBuffer.allocate(UNIT);
    assertEquals(0, deflate.deflate(ByteBuffer.wrap(noise), target, UNIT - 1));
    assertEquals(0, target.position());
    assertEquals(UNIT, target.limit());
  }

  @Test
  void partOfAUnitThatShrinksIsEnough() {
    byte[] unit = new byte[UNIT];
    new Random(1).nextBytes(unit);
    System.arraycopy(text(), 0, unit, UNIT / 2, UNIT / 4);
    ByteBuffer encoded = encoded(unit);
    assertTrue(encoded.remaining() > 0 && encoded.remaining() < UNIT * 0.77, encoded.toString());
    byte[] bytes = new byte[UNIT];
    assertTrue(deflate.inflate(encoded, ByteBuffer.wrap(bytes)));
    assertArrayEquals(unit, bytes);
  }

  @Test
  void streamThatEndsEarlyIsRefused() {
    ByteBuffer encoded = encoded(text());
    for (int cut : new int[] {0, 1, 10, encoded.limit() - 16}) {
      assertFalse(deflate.inflate(encoded.duplicate().limit(cut), ByteBuffer.allocate(UNIT)));
    }
    assertFalse(deflate.inflate(encoded.duplicate(), ByteBuffer.allocate(UNIT + 1)));
  }

  @Test
  void noiseIsRefused() {
    Random random = new Random(2);
    byte[] noise = new byte[512];
    for (int i = 0; i < 1000; i++) {
      random.nextBytes(noise);
      boolean unused = deflate.inflate(ByteBuffer.wrap(noise), ByteBuffer.allocate(UNIT));
    }
    assertFalse(deflate.inflate(ByteBuffer.wrap(new byte[] {-1, -1}), ByteBuffer.allocate(UNIT)));
  }

  @Test
  void closedPoolStillWorks() {
    byte[] unit = text();
    deflate.close();
    ByteBuffer target = ByteBuffer.allocate(UNIT);
    assertTrue(deflate.inflate(encoded(unit), target));
    assertArrayEquals(unit, target.array());
  }
}
