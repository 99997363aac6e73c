package io.vdisk.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZeroesTest {
  private static ByteBuffer bytes(int length, boolean direct) {
    return direct ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
  }

  /** Anything else around them is not looked at. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneByteThatIsNotZeroIsFoundWhereverItIs(boolean direct) {
    for (int length = 0; length < 150; length++) {
      for (int from : new int[] {1, 7, 8}) {
        ByteBuffer bytes = bytes(length + 20, direct);
        bytes.put(from - 1, (byte) 1).put(from + length, (byte) 1);
        bytes.position(from).limit(from + length);
        assertTrue(Zeroes.only(bytes), length + " at " + from);
        assertEquals(from, bytes.position());
        assertEquals(from + length, bytes.limit());
        for (int i = from; i < from + length; i++) {
          bytes.put(i, (byte) 0x80);
          assertFalse(Zeroes.only(bytes), i + " of " + length + " at " + from);
          bytes.put(i, (byte) 0);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8, 16, 64})
  void aPatternThatRepeatsItselfIsNotZero(int period) {
    ByteBuffer bytes = bytes(1 << 16, true);
    for (int first = 0; first < period; first++) {
      for (int i = first; i < bytes.limit(); i += period) {
        bytes.put(i, (byte) 1);
      }
      assertFalse(Zeroes.only(bytes));
      for (int i = first; i < bytes.limit(); i += period) {
        bytes.put(i, (byte) 0);
      }
    }
    assertTrue(Zeroes.only(bytes));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16_384, 16_385, 100_000})
  void fillingLeavesNothingElse(int length) {
    ByteBuffer bytes = bytes(length + 2, true);
    for (int i = 0; i < bytes.limit(); i++) {
      bytes.put(i, (byte) 1);
    }
    Zeroes.fill(bytes.position(1).limit(length + 1));
    assertFalse(bytes.hasRemaining());
    assertEquals(1, bytes.get(0));
    assertTrue(Zeroes.only(bytes.flip().position(1)));
    assertEquals(1, bytes.limit(length + 2).get(length + 1));
  }
}
