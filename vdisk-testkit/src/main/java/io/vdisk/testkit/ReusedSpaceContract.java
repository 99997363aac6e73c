package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What freed space shows when another unit gets it: nothing of what it held. */
public abstract class ReusedSpaceContract {
  /** Bytes of a unit. */
  protected static final int UNIT = 65_536;

  /** For subclasses. */
  protected ReusedSpaceContract() {}

  /**
   * How to make an image of units of {@link #UNIT} bytes that gives freed space to the next unit
   * that needs some.
   *
   * @param size bytes of its disk, several units
   */
  protected abstract CreateOptions creation(long size);

  @Test
  public void unitInTheSpaceOfAnotherShowsNothingOfThat() throws IOException {
    SolidFile file = new SolidFile(new MemoryFile("image"));
    try (BlockDevice device = Images.create(file, creation(8 * UNIT))) {
      byte[] secret = new byte[UNIT];
      Arrays.fill(secret, (byte) 7);
      device.write(ByteBuffer.wrap(secret), 0);
      device.flush();
      long place = device.extentAt(0, 1).fileOffset();
      device.discard(0, UNIT);
      device.flush();
      device.flush();

      device.write(ByteBuffer.wrap(new byte[] {1}), 5 * UNIT + 1000);

      assertEquals(place, device.extentAt(5 * UNIT, 1).fileOffset());
      byte[] expected = new byte[UNIT];
      expected[1000] = 1;
      ByteBuffer found = ByteBuffer.allocate(UNIT);
      device.read(found, 5 * UNIT);
      assertArrayEquals(expected, found.array());
    }
  }
}
