package io.vdisk.backend.tap.disk;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * What a device was asked, as Linux' blkback counts it (struct blkback_stats of include/blktap3.h):
 * 112 bytes, little-endian. Times are microseconds.
 */
final class BlkbackNumbers {
  static final Struct STRUCT = Struct.littleEndian("blkback_stats");
  private static final Struct.U64 DISCARDS = STRUCT.u64("st_ds_req");
  private static final Struct.U64 FLUSHES = STRUCT.u64("st_f_req");
  private static final Fields READS;
  private static final Fields WRITES;

  static {
    STRUCT.u64("st_oo_req"); // for requests there always is memory
    READS = new Fields("rd");
    WRITES = new Fields("wr");
    STRUCT.u64("flags");
    STRUCT.end(112);
  }

  private BlkbackNumbers() {}

  /** Those of one kind of request. */
  private static final class Fields {
    private final Struct.U64 received;
    private final Struct.U64 completed;
    private final Struct.U64 sectors;
    private final Struct.U64 sum;
    private final Struct.U64 longest;

    Fields(String kind) {
      received = STRUCT.u64("st_" + kind + "_req");
      completed = STRUCT.u64("st_" + kind + "_cnt");
      sectors = STRUCT.u64("st_" + kind + "_sect");
      sum = STRUCT.u64("st_" + kind + "_sum_usecs");
      longest = STRUCT.u64("st_" + kind + "_max_usecs");
    }

    void put(ByteBuffer page, RingTotals.Kind counted) {
      received.put(page, 0, counted.count());
      completed.put(page, 0, counted.count());
      sectors.put(page, 0, counted.sectors());
      sum.put(page, 0, counted.microseconds());
      longest.put(page, 0, counted.longestMicroseconds());
    }
  }

  static void write(RingTotals totals, ByteBuffer page) {
    DISCARDS.put(page, 0, totals.discards().count());
    FLUSHES.put(page, 0, totals.flushes().count());
    READS.put(page, totals.reads());
    WRITES.put(page, totals.writes());
  }
}
