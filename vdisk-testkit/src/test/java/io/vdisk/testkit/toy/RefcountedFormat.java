package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Like qcow2: an L1 table names L2 tables, these name guest clusters, and every cluster of the file
 * is counted. Clusters are so small that everything that can grow does so within a few hundred
 * writes: a refcount block counts 32 KiB of the file, and the refcount table has two entries at
 * first.
 */
final class RefcountedFormat extends ToyFormat {
  static final int CLUSTER = 512;

  /** Entries of a cluster. */
  static final int PER_CLUSTER = CLUSTER / Long.BYTES;

  /** Guest bytes of an L2 table. */
  static final long COVERAGE = (long) PER_CLUSTER * CLUSTER;

  /** So many that the next table still fits in the range of the last block of the old one. */
  static final long MAX_TABLE_ENTRIES = 2048;

  // Words of the header.
  static final int L1_OFFSET = 0;
  static final int L1_ENTRIES = 1;
  static final int TABLE_OFFSET = 2;
  static final int TABLE_ENTRIES = 3;

  private static final long LEAST_TABLE_ENTRIES = 2;

  RefcountedFormat() {
    super("refcounted", CLUSTER);
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    return new RefcountedLayout(parts);
  }

  /** Header, L1 table, refcount table, refcount blocks: one behind the other. */
  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    long l1Entries = Math.max(1, ceilDiv(header.virtualSize(), COVERAGE));
    context.limits().checkTable("L1 table", l1Entries * Long.BYTES, file.name());
    long tableCluster = 1 + ceilDiv(l1Entries, PER_CLUSTER);
    long blocks = ceilDiv(tableCluster + 2, PER_CLUSTER - 2);
    long entries = LEAST_TABLE_ENTRIES;
    while (entries < blocks + 1) {
      entries *= 2;
    }
    long firstBlock = tableCluster + ceilDiv(entries, PER_CLUSTER);
    long used = firstBlock + blocks;
    ByteBuffer metadata = ByteBuffer.allocate((int) ((used - 1) * CLUSTER));
    for (int i = 0; i < blocks; i++) {
      metadata.putLong((int) (tableCluster - 1) * CLUSTER + 8 * i, (firstBlock + i) * CLUSTER);
    }
    for (int i = 0; i < used; i++) {
      metadata.putLong((int) (firstBlock - 1) * CLUSTER + 8 * i, 1);
    }
    file.write(metadata, CLUSTER);
    return List.of((long) CLUSTER, l1Entries, tableCluster * CLUSTER, entries);
  }
}
