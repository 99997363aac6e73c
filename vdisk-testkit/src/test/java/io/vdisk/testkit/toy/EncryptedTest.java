package io.vdisk.testkit.toy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EncryptedTest extends ToyContracts {
  static final ToySubject SUBJECT = new ToySubject(new EncryptedFormat(), 1, (2 << 20) + 700);

  @Override
  ToySubject subject() {
    return SUBJECT;
  }

  private final HostFile file = new MemoryFile("image");

  private BlockDevice create() throws IOException {
    SUBJECT.create(List.of(file), SUBJECT.size(), Optional.empty());
    return SUBJECT.open(List.of(file), true, Optional.empty());
  }

  private boolean hostHas(String text) throws IOException {
    return new String(all(), java.nio.charset.StandardCharsets.ISO_8859_1).contains(text);
  }

  @Test
  void hostSeesNoPlainText() throws IOException {
    try (BlockDevice device = create()) {
      device.write(ByteBuffer.wrap("first secret".getBytes(US_ASCII)), 4000);
      device.write(ByteBuffer.wrap("second".getBytes(US_ASCII)), 4006);
      byte[] read = new byte[12];
      device.read(ByteBuffer.wrap(read), 4000);
      assertArrayEquals("first second".getBytes(US_ASCII), read);
    }
    assertFalse(hostHas("first"));
    assertFalse(hostHas("second"));
  }

  /** A unit and its bytes on the host. */
  private record Stored(long fileOffset, byte[] bytes) {}

  /** The key stream belongs to the guest's sector, wherever in the file that lies. */
  @Test
  void sectorsAreEncipheredByTheirGuestOffset() throws IOException {
    Stored first = store(3);
    Stored behindOthers = store(5, 4, 3);
    Stored other = store(5);
    assertTrue(first.fileOffset < behindOthers.fileOffset);
    assertArrayEquals(first.bytes, behindOthers.bytes);
    assertEquals(first.fileOffset, other.fileOffset);
    assertFalse(Arrays.equals(first.bytes, other.bytes));
  }

  /** Writes the same into units of a new image, one after another; the last of them. */
  private Stored store(int... units) throws IOException {
    file.resize(0);
    try (BlockDevice device = create()) {
      byte[] before = {};
      for (int unit : units) {
        before = all();
        device.write(ByteBuffer.allocate(TableLayout.UNIT), (long) unit * TableLayout.UNIT);
      }
      // Until the device is flushed nothing but the unit is written.
      byte[] after = all();
      int from = Arrays.mismatch(before, after) / 512 * 512;
      return new Stored(from, Arrays.copyOfRange(after, from, from + TableLayout.UNIT));
    }
  }

  private byte[] all() throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  @Test
  void sameInputMakesTheSameFile() throws IOException {
    byte[] first = compressed();
    file.resize(0);
    assertArrayEquals(first, compressed());
  }

  private byte[] compressed() throws IOException {
    try (BlockDevice device = create()) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      for (int i = 0; i < 50; i++) {
        ByteBuffer unit = ByteBuffer.allocate(units.unit());
        for (int j = 0; unit.hasRemaining(); j++) {
          unit.putInt(i * (j % (i + 1)));
        }
        unit.flip();
        units.append((long) i * units.unit(), unit, units.encode(unit.duplicate()));
      }
    }
    assertEquals(50, SUBJECT.report(List.of(file)).compressedUnits());
    return all();
  }
}
