package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest's flush costs the host, and what opening costs. */
class Qcow2FlushTest {
  private static final int CLUSTER = 512;

  /** Guest bytes of an L2 table: 64 entries. */
  private static final int TABLE = 64 * CLUSTER;

  /** Clusters of 512 bytes that a refcount block of 16-bit counts covers. */
  private static final int PER_BLOCK = 256;

  private final Counting file = new Counting(new MemoryFile("image"));
  private BlockDevice device;

  /** Counts the flushes that have something to do, and the bytes read. */
  private static final class Counting extends ForwardingFile {
    private boolean written;
    int flushes;
    long read;

    Counting(HostFile file) {
      super(file);
    }

    @Override
    public int read(ByteBuffer dst, long offset) throws IOException {
      int bytes = super.read(dst, offset);
      read += bytes;
      return bytes;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
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
  }

  @BeforeEach
  void create() throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 64L << 20)
            .withOption("cluster_size", Integer.toString(CLUSTER))
            .withFormats(List.of(new Qcow2Format()));
    device = Images.create(file, options);
    write(0);
    device.flush();
  }

  @AfterEach
  void close() throws IOException {
    device.close();
  }

  private void write(long offset) throws IOException {
    device.write(ByteBuffer.allocate(CLUSTER).put(0, (byte) 1), offset);
  }

  private int flushesOf(long... offsets) throws IOException {
    for (long offset : offsets) {
      write(offset);
    }
    file.flushes = 0;
    device.flush();
    return file.flushes;
  }

  @Test
  void nothingWrittenCostsNone() throws IOException {
    assertEquals(0, flushesOf());
  }

  @Test
  void inPlaceWritesCostOne() throws IOException {
    assertEquals(1, flushesOf(0, 0));
  }

  /** Refcounts with data, then the L2 table. */
  @Test
  void allocatingWritesCostTwo() throws IOException {
    assertEquals(2, flushesOf(CLUSTER, 2 * CLUSTER, 5 * CLUSTER, 0));
  }

  /** Then the L1 table, too. */
  @Test
  void newL2TableCostsThree() throws IOException {
    assertEquals(3, flushesOf(TABLE, TABLE + CLUSTER, 3 * TABLE));
  }

  /** The refcount table names the block after the block is there. */
  @Test
  void newRefcountBlockCostsOneMore() throws IOException {
    assertEquals(2, mostFlushesOf(1));
    assertEquals(3, mostFlushesOf(PER_BLOCK));
  }

  /** Most flushes of one guest flush, over as many allocations of clusters in tables that exist. */
  private int mostFlushesOf(int clusters) throws IOException {
    int most = 0;
    for (int i = 0; i < clusters; i++) {
      long next = nextCluster++;
      if (next % 64 == 0) {
        write(next * CLUSTER);
        device.flush();
        continue;
      }
      most = Math.max(most, flushesOf(next * CLUSTER));
    }
    return most;
  }

  private long nextCluster = 1;

  /** Then the header names the moved table: 8 MiB of file are behind a table of one cluster. */
  @Test
  void movedRefcountTableCostsOneMoreAgain() throws IOException {
    int most = 0;
    for (long offset = TABLE; offset < 10 << 20; offset += TABLE) {
      write(offset);
    }
    device.flush();
    for (long offset = 0; file.size() < (9 << 20); offset += CLUSTER) {
      most = Math.max(most, flushesOf(offset));
    }
    assertEquals(4, most);
  }

  @Test
  void largeImageOpensWithLittleReading() throws IOException {
    Counting large = new Counting(new MemoryFile("large"));
    List<io.vdisk.spi.ImageFormat> formats = List.of(new Qcow2Format());
    Images.create(large, CreateOptions.of("qcow2", 1L << 40).withFormats(formats)).close();
    large.read = 0;
    try (BlockDevice opened = Images.open(large, OpenOptions.readOnly().withFormats(formats))) {
      opened.read(ByteBuffer.allocate(4096), opened.size() - 4096);
      assertEquals(1L << 40, opened.size());
    }
    assertTrue(large.read < 1 << 20, large.read + " bytes");
  }
}
