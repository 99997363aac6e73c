package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The batmap tells Xen's tools which blocks have all their sectors. */
class BatmapTest {
  private static final int MIB = 1 << 20;
  private static final int BITS = 2560;

  private final Disks disks = new Disks();

  private int bits() throws IOException {
    ByteBuffer bits = ByteBuffer.allocate(1);
    disks.file("a.vhd").readFully(bits, BITS);
    return bits.get(0) & 0xff;
  }

  @Test
  void blocksOfADynamicDiskAreFullWhenItIsClosedAndNotWhenTheyAreGone() throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(16 * MIB, "xen", "on"))) {
      Disks.write(device, new byte[] {1}, 2 * MIB);
      Disks.write(device, new byte[] {1}, 14 * MIB);
      device.flush();
      assertEquals(0, bits());
    }
    assertEquals(0b0100_0001, bits());
    disks.assertClean("a.vhd");
    try (BlockDevice device = disks.write("a.vhd")) {
      device.discard(2 * MIB, 2 * MIB);
      assertEquals(0b0000_0001, bits(), "before the block may be named otherwise");
      device.discard(0, 16 * MIB);
    }
    assertEquals(0, bits());
    disks.assertClean("a.vhd");
  }

  /** The bits of blocks that go are written at once, while a block's own may not be durable. */
  @Test
  void aBlockThatWasJustFilledIsNotToldWithThoseThatGo() throws IOException {
    try (BlockDevice device = disks.create("a.vhd", disks.creating(16 * MIB, "xen", "on"))) {
      Disks.write(device, new byte[] {1}, 2 * MIB);
    }
    try (BlockDevice device = disks.write("a.vhd")) {
      Disks.write(device, new byte[] {1}, 14 * MIB);
      device.discard(2 * MIB, 2 * MIB);
      assertEquals(0, bits());
    }
    assertEquals(0b0000_0001, bits());
  }

  @Test
  void aBlockOfAChildIsFullWhenItsLastSectorIs() throws IOException {
    disks.create("p.vhd", disks.creating(4 * MIB)).close();
    try (BlockDevice device = disks.create("a.vhd", disks.child("p.vhd", "vhd", "xen", "on"))) {
      Disks.write(device, Disks.random(2 * MIB - 512, 1), 512);
    }
    assertEquals(0, bits());
    try (BlockDevice device = disks.write("a.vhd")) {
      Disks.write(device, new byte[512], 0);
    }
    assertEquals(0b1000_0000, bits());
    disks.assertClean("a.vhd");
  }

  @Test
  void aWrongBatmapIsNotReliedOnAndMended() throws IOException {
    byte[] content = Disks.random(3 * MIB, 1);
    try (BlockDevice device = disks.create("a.vhd", disks.creating(16 * MIB, "xen", "on"))) {
      Disks.write(device, content, 0);
    }
    HostFile file = disks.file("a.vhd");
    file.write(ByteBuffer.wrap(new byte[] {-1}), BITS);
    CheckReport report = disks.check("a.vhd");
    assertEquals(0, report.errors());
    assertTrue(report.warnings() > 0);
    try (BlockDevice device = Images.open(file, disks.reading().forRepair().withoutBacking())) {
      CheckReport unused =
          device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
    }
    disks.assertClean("a.vhd");
    assertEquals(0, bits());
  }

  @Test
  void aWrongBatmapBeginsEmptyWhenTheDiskIsWritten() throws IOException {
    disks.create("a.vhd", disks.creating(16 * MIB, "xen", "on")).close();
    disks.file("a.vhd").write(ByteBuffer.wrap(new byte[] {-1}), BITS);
    try (BlockDevice device = disks.write("a.vhd")) {
      Disks.write(device, new byte[] {1}, 14 * MIB);
    }
    assertEquals(0b0000_0001, bits());
    disks.assertClean("a.vhd");
  }

  /** Only Xen would read it wrongly; but it would. */
  @Test
  void aBatmapThatCallsAPartlyFilledBlockFullIsAnError() throws IOException {
    disks.create("p.vhd", disks.creating(4 * MIB)).close();
    try (BlockDevice device = disks.create("a.vhd", disks.child("p.vhd", "vhd", "xen", "on"))) {
      Disks.write(device, Disks.random(1000, 1), 512);
    }
    HostFile file = disks.file("a.vhd");
    ByteBuffer header = ByteBuffer.allocate(512);
    file.readFully(header, BITS - 512);
    ByteBuffer map = ByteBuffer.allocate(512).put(0, (byte) 0x80);
    file.write(map.duplicate(), BITS);
    long sum = ~ChecksumField.sum(map, 0, 512) & 0xffff_ffffL;
    file.write(header.putInt(24, (int) sum).clear(), BITS - 512);
    assertTrue(disks.check("a.vhd").errors() > 0);
  }
}
