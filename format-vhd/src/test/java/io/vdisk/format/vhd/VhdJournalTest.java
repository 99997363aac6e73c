package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Images;
import io.vdisk.feature.JournalReplay;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The journal of Xen's tools puts an image back that they left half resized. */
class VhdJournalTest {
  private static final int SIZE = 5 << 20;

  private final Disks disks = new Disks();
  private byte[] before = new byte[0];
  private ByteBuffer journal = ByteBuffer.allocate(0);

  /** An image, the journal that vhd-util would begin with, and the image half changed. */
  @BeforeEach
  void makeHalfResized() throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(SIZE, "xen", "on"))) {
      Disks.write(device, Disks.random(SIZE, 1), 0);
    }
    HostFile file = disks.file("a.vhd");
    before = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(before), 0);
    journal = ByteBuffer.allocate(1 << 20);
    journal.put(0, "vjournal".getBytes(StandardCharsets.US_ASCII));
    journal.put(8, before, 68, 16);
    journal.putLong(24, before.length - 512);
    journal.position(512);
    addEntry(1, before.length - 512, 512);
    addEntry(2, 0, 512);
    addEntry(3, 512, 1024);
    addEntry(5, 1536, 512);
    addEntry(6, 2048, 512);
    addEntry(7, 2560, 512);
    journal.putInt(36, 6);
    journal.putLong(40, journal.position());
    addEntry(8, 3584, 65_536);
    journal.putInt(32, 1);
    journal.order(ByteOrder.LITTLE_ENDIAN).putLong(56, journal.position());
    journal.order(ByteOrder.BIG_ENDIAN).flip();

    file.write(ByteBuffer.wrap(Disks.random(1536, 3)), 1536);
    file.write(ByteBuffer.wrap(Disks.random(20_000, 4)), 3584);
    file.resize(before.length + 4_000_000);
    byte[] poisoned = Arrays.copyOf(before, 512);
    System.arraycopy("v_poison".getBytes(StandardCharsets.US_ASCII), 0, poisoned, 0, 8);
    ByteBuffer footer = HardDiskFooter.of(ByteBuffer.wrap(poisoned)).sealed().bytes();
    file.write(footer.duplicate(), 0);
    file.write(footer.duplicate(), file.size() - 512);
  }

  private void addEntry(int type, int offset, int size) {
    int at = journal.position();
    journal.putLong(0xaaaa_1234_4321_aaaaL).putInt(type).putInt(size).putLong(offset);
    journal.putInt(0).putInt(0);
    journal.put(before, offset, size);
    long sum = ChecksumField.sum(journal, at, 32 + size);
    journal.putInt(at + 24, (int) ~sum);
  }

  private void replay(ByteBuffer bytes) throws IOException {
    byte[] content = new byte[bytes.remaining()];
    bytes.duplicate().get(content);
    try (BlockDevice device =
        Images.open(disks.file("a.vhd"), disks.reading().forRepair().withFormat("vhd"))) {
      device
          .feature(JournalReplay.class)
          .orElseThrow()
          .replay(new MemoryFile("a.journal", content));
    }
  }

  @Test
  void theImageIsAsItWas() throws IOException {
    replay(journal);
    replay(journal);
    byte[] after = new byte[(int) disks.file("a.vhd").size()];
    disks.file("a.vhd").readFully(ByteBuffer.wrap(after), 0);
    assertArrayEquals(before, after);
    disks.assertClean("a.vhd");
  }

  @Test
  void aJournalWithAnyFaultChangesNothing() throws IOException {
    byte[] half = new byte[(int) disks.file("a.vhd").size()];
    disks.file("a.vhd").readFully(ByteBuffer.wrap(half), 0);
    for (int at : new int[] {0, 9, 512, 520, 524, 528, 536, 600, journal.limit() - 1}) {
      ByteBuffer damaged = ByteBuffer.allocate(journal.limit()).put(journal.duplicate()).flip();
      damaged.put(at, (byte) (damaged.get(at) ^ 0x40));
      CorruptImageException refusal =
          assertThrows(CorruptImageException.class, () -> replay(damaged));
      assertTrue(refusal.getMessage().contains("journal"), refusal.getMessage());
    }
    byte[] after = new byte[half.length];
    disks.file("a.vhd").readFully(ByteBuffer.wrap(after), 0);
    assertArrayEquals(half, after);
    assertEquals(half.length, disks.file("a.vhd").size());
  }
}
