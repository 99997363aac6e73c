package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ByteSizeTest {
  private static final long MIB = 1 << 20;

  @Test
  void numberCountsUnits() throws UsageException {
    assertEquals(10 * MIB, ByteSize.parse("10", MIB));
    assertEquals(10, ByteSize.parse("10", 1));
  }

  @Test
  void suffixWinsOverTheUnit() throws UsageException {
    assertEquals(512, ByteSize.parse("512b", MIB));
    assertEquals(64 << 10, ByteSize.parse("64k", MIB));
    assertEquals(64 << 10, ByteSize.parse("64K", MIB));
    assertEquals(3 * MIB / 2, ByteSize.parse("1.5M", MIB));
    assertEquals(7L << 30, ByteSize.parse("7g", MIB));
    assertEquals(2L << 40, ByteSize.parse("2T", MIB));
    assertEquals(1L << 50, ByteSize.parse("1P", MIB));
    assertEquals(7L << 60, ByteSize.parse("7E", MIB));
  }

  @Test
  void whatIsNoSizeIsRefused() {
    for (String text : new String[] {"", "k", "-1", "+1", "1e3", "10abc", "1.2.3", ".", "0x10"}) {
      assertThrows(UsageException.class, () -> ByteSize.parse(text, 1), text);
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    for (String text : new String[] {"8E", "9223372036854775808", "0.3b"}) {
      assertEquals(
          "'" + text + "' is not a size in whole bytes below 8 EiB",
          assertThrows(UsageException.class, () -> ByteSize.parse(text, 1)).getMessage());
    }
  }

  @Test
  void descriptionHasThreeDigits() {
    assertEquals("0 B", ByteSize.describe(0));
    assertEquals("999 B", ByteSize.describe(999));
    assertEquals("0.977 KiB", ByteSize.describe(1000));
    assertEquals("4 MiB", ByteSize.describe(4 * MIB));
    assertEquals("1.46 GiB", ByteSize.describe(3 * 500 * MIB));
    assertEquals("8 EiB", ByteSize.describe(Long.MAX_VALUE));
  }
}
