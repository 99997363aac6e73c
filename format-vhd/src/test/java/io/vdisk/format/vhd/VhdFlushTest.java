package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a request costs the host. */
class VhdFlushTest {
  private static final int MIB = 1 << 20;

  private final Disks disks = new Disks();
  private final Counting file = new Counting(new MemoryFile("a.vhd"));

  /** Counts the flushes that have something to do, and notes the writes. */
  private static final class Counting extends ForwardingFile {
    private boolean written;
    int flushes;
    final List<Integer> writes = new ArrayList<>();

    Counting(HostFile file) {
      super(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      writes.add(src.remaining());
      super.write(src, offset);
      written = true;
    }

    @Override
    public void flush() {
      if (written) {
        flushes++;
        written = false;
      }
    }

    int taken() {
      int count = flushes;
      flushes = 0;
      writes.clear();
      return count;
    }
  }

  private BlockDevice create(String... options) throws IOException {
    disks.put("a.vhd", file);
    BlockDevice device = disks.create("a.vhd", disks.creating(64 * MIB, options));
    Disks.write(device, new byte[] {1}, 0);
    device.flush();
    int unused = file.taken();
    return device;
  }

  @Test
  void anInPlaceWriteCostsOneFlushAndAnAllocatingOneTwo() throws IOException {
    try (BlockDevice device = create()) {
      Disks.write(device, new byte[] {1}, 10 * MIB);
      assertEquals(0, file.flushes, "before the guest flushes");
      device.flush();
      assertEquals(2, file.taken(), "allocating");
      Disks.write(device, new byte[] {1}, 11 * MIB);
      device.flush();
      assertEquals(1, file.taken(), "in place, in the same block");
      device.flush();
      assertEquals(0, file.taken());
    }
  }

  @Test
  void aNewBlockCostsItsDataAndAFooter() throws IOException {
    try (BlockDevice device = create()) {
      Disks.write(device, new byte[4096], 10 * MIB);
      assertEquals(List.of(512, 4096), file.writes);
      int unused = file.taken();
      Disks.write(device, new byte[MIB], 11 * MIB);
      Disks.write(device, new byte[4096], 10 * MIB + 8192);
      assertEquals(List.of(MIB, 4096), file.writes, "no bitmap is written for each request");
    }
  }

  @Test
  void aRunGoesToTheEndOfItsBlockAndOfWhatHasNone() throws IOException {
    try (BlockDevice device = create()) {
      Disks.write(device, Disks.random(4 * MIB, 1), 2 * MIB);
      assertEquals(2 * MIB, device.extentAt(2 * MIB, 62 * MIB).length());
      assertEquals(58 * MIB, device.extentAt(6 * MIB, 58 * MIB).length());
    }
    // One block lies right behind the other, but for its bitmap and what aligns the data.
    try (BlockDevice device = disks.open("a.vhd")) {
      long first = device.extentAt(2 * MIB, 1).fileOffset();
      assertEquals(first + 2 * MIB + 4096, device.extentAt(4 * MIB, 1).fileOffset());
      assertEquals(0, first % 4096);
    }
  }

  @Test
  void whatIsFreedIsUsedAgainAndTheFileEndsBehindTheLastBlock() throws IOException {
    long full;
    try (BlockDevice device = create()) {
      for (int round = 0; round < 50; round++) {
        Disks.write(device, Disks.random(2 * MIB, round), (round % 32) * 2L * MIB);
        if (round > 0) {
          device.discard(((round - 1) % 32) * 2L * MIB, 2 * MIB);
        }
        device.flush();
        device.flush();
      }
      full = file.size();
      assertTrue(full < 12 * MIB, full + " bytes");
      device.discard(0, 64 * MIB);
    }
    assertTrue(file.size() < MIB, file.size() + " bytes");
    disks.assertClean("a.vhd");
  }
}
