package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

/** The forms of the files that tell what rings were asked. */
class RingNumbersTest {
  @Test
  void fieldsLieWhereOthersReadThem() {
    assertArrayEquals(
        "0 8 16 24 32 40 48 56 64 72 80 88 96 104".split(" "),
        offsets(BlkbackNumbers.STRUCT.describe()));
    assertArrayEquals(
        "0 4 8 16 24 32 40 48 56 64 72 80 88".split(" "),
        offsets(TapdiskNumbers.STRUCT.describe()));
  }

  private static String[] offsets(String description) {
    return description
        .lines()
        .filter(line -> line.matches("\\d+ .*"))
        .map(line -> line.split(" ")[0])
        .toArray(String[]::new);
  }
}
