package io.vdisk.testkit.toy;

import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Like qcow2 with extended L2 entries: an entry is two words, the place of a cluster of 16 KiB and
 * the states of its 32 subclusters of 512 bytes.
 */
final class SubclusterFormat extends ToyFormat {
  static final int CLUSTER = 16_384;
  static final int SUBCLUSTER = 512;
  static final int SUBCLUSTERS = CLUSTER / SUBCLUSTER;

  /** Bytes of a slice of the table, and entries in it. */
  static final int SLICE = 512;

  static final int PER_SLICE = SLICE / (2 * Long.BYTES);

  /** Words of the header: where the table begins, and where the clusters do. */
  static final int TABLE_OFFSET = 0;

  static final int DATA_OFFSET = 1;

  SubclusterFormat() {
    super("subcluster", CLUSTER);
  }

  static long tableBytes(long virtualSize) {
    return Math.max(1, ceilDiv(virtualSize, (long) CLUSTER * PER_SLICE)) * SLICE;
  }

  @Override
  ToyLayout<?> layout(Parts parts) throws IOException {
    return new SubclusterLayout(parts);
  }

  @Override
  List<Long> format(HostFile file, ToyHeader header, CreateContext context) throws IOException {
    long bytes = tableBytes(header.virtualSize());
    context.limits().checkTable("cluster table", bytes, file.name());
    file.write(ByteBuffer.allocate((int) bytes), ToyHeader.BYTES);
    return List.of((long) ToyHeader.BYTES, ToyHeader.BYTES + bytes);
  }
}
