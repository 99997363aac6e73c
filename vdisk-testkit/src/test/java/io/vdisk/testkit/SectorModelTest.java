package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SectorModelTest {
  private static final int SECTOR = SectorModel.SECTOR;

  private final SectorModel model = new SectorModel(3 * SECTOR + 100, sector -> new byte[SECTOR]);

  private void write(long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    model.announce(offset, bytes);
  }

  /** A sector of {@code first} up to {@code end}, of {@code second} from there on. */
  private static byte[] torn(int first, int end, int second) {
    byte[] bytes = new byte[SECTOR];
    Arrays.fill(bytes, 0, end, (byte) first);
    Arrays.fill(bytes, end, SECTOR, (byte) second);
    return bytes;
  }

  @Test
  void sectorWrittenInPartMayBeTornWhereAFileIs() throws IOException {
    write(0, 100, 1);
    model.flushed();
    write(0, SECTOR, 2);

    model.checkTornSurvivor(0, torn(2, 100, 0));
    assertThrows(AssertionError.class, () -> model.checkSurvivor(0, torn(2, 100, 0)));
  }

  @Test
  void tornSectorHasNoBytesButThoseAllowed() throws IOException {
    write(0, 100, 1);
    write(0, SECTOR, 2);
    model.flushed();
    write(0, SECTOR, 3);

    assertThrows(AssertionError.class, () -> model.checkTornSurvivor(0, torn(3, 100, 0)));
    assertThrows(AssertionError.class, () -> model.checkTornSurvivor(0, torn(1, 100, 2)));
  }

  @Test
  void sectorWrittenWholeIsNotTorn() throws IOException {
    write(100, 2 * SECTOR, 1);
    write(SECTOR, SECTOR, 2);

    assertThrows(AssertionError.class, () -> model.checkTornSurvivor(1, torn(2, 100, 1)));
  }

  @Test
  void lastSectorOfTheDiskIsWrittenWholeUpToItsEnd() throws IOException {
    write(3 * SECTOR, 100, 1);

    byte[] half = Arrays.copyOf(torn(1, 50, 0), SECTOR);
    assertThrows(AssertionError.class, () -> model.checkTornSurvivor(3, half));
  }
}
