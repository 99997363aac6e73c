package io.vdisk.backend.tap.disk;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;

/**
 * What a device was asked, as tapdisk counts it and xentop reads it (struct stats of
 * drivers/tapdisk-metrics-stats.h, version 1): 96 bytes, little-endian. Ticks are microseconds.
 */
final class TapdiskNumbers {
  private static final int VERSION_1 = 1;

  static final Struct STRUCT = Struct.littleEndian("stats");
  private static final Struct.U32 VERSION = STRUCT.u32("version");
  private static final Fields READS;
  private static final Fields WRITES;
  private static final Struct.U64 IO_ERRORS;

  static {
    STRUCT.u32("__pad");
    STRUCT.u64("oo_reqs"); // for requests there always is memory
    READS = new Fields("read");
    WRITES = new Fields("write");
    IO_ERRORS = STRUCT.u64("io_errors");
    STRUCT.u64("flags");
    STRUCT.end(96);
  }

  private TapdiskNumbers() {}

  /** Those of one kind of request. */
  private static final class Fields {
    private final Struct.U64 submitted;
    private final Struct.U64 completed;
    private final Struct.U64 sectors;
    private final Struct.U64 ticks;

    Fields(String kind) {
      submitted = STRUCT.u64(kind + "_reqs_submitted");
      completed = STRUCT.u64(kind + "_reqs_completed");
      sectors = STRUCT.u64(kind + "_sectors");
      ticks = STRUCT.u64(kind + "_total_ticks");
    }

    void put(ByteBuffer page, RingTotals.Kind counted) {
      submitted.put(page, 0, counted.count());
      completed.put(page, 0, counted.count());
      sectors.put(page, 0, counted.sectors());
      ticks.put(page, 0, counted.microseconds());
    }
  }

  static void write(RingTotals totals, ByteBuffer page) {
    VERSION.put(page, 0, VERSION_1);
    READS.put(page, totals.reads());
    WRITES.put(page, totals.writes());
    IO_ERRORS.put(page, 0, totals.failed());
  }
}
