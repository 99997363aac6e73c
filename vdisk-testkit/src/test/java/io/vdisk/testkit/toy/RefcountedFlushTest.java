package io.vdisk.testkit.toy;

import static io.vdisk.testkit.toy.RefcountedFormat.CLUSTER;
import static io.vdisk.testkit.toy.RefcountedFormat.COVERAGE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest's flush costs the host. The sum over a history is that of its parts. */
class RefcountedFlushTest {
  private static final long SIZE = 4 << 20;

  private final FlushCounter file = new FlushCounter("image");
  private BlockDevice device;

  @BeforeEach
  void create() throws IOException {
    ToySubject subject = new ToySubject(new RefcountedFormat(), 1, SIZE, 1 << 20);
    List<HostFile> files = List.of(file);
    subject.create(files, SIZE, Optional.empty());
    device = subject.open(files, true, Optional.empty());
    int unused = flushesAfter(0);
  }

  @AfterEach
  void close() throws IOException {
    device.close();
  }

  private int flushesAfter(long... offsets) throws IOException {
    for (long offset : offsets) {
      device.write(ByteBuffer.allocate(CLUSTER), offset);
    }
    device.flush();
    return file.take();
  }

  /** The header's word: how many entries the refcount table has. */
  private long tableEntries() throws IOException {
    ByteBuffer word = ByteBuffer.allocate(8);
    file.readFully(word, ToyHeader.WORDS_OFFSET + 8L * RefcountedFormat.TABLE_ENTRIES);
    return word.getLong(0);
  }

  @Test
  void nothingWrittenCostsNothing() throws IOException {
    assertEquals(0, flushesAfter());
  }

  @Test
  void inPlaceCostsOne() throws IOException {
    assertEquals(1, flushesAfter(0, 0));
  }

  @Test
  void allocationCostsTwo() throws IOException {
    assertEquals(2, flushesAfter(CLUSTER, 0, 5 * CLUSTER));
  }

  @Test
  void newL2TableCostsThree() throws IOException {
    assertEquals(3, flushesAfter(COVERAGE, 7 * COVERAGE));
  }

  /** Block after block until the table has moved several times, in one table and in new ones. */
  @Test
  void newRefcountBlockCostsOneMoreAndATableThatMovesOneMoreAgain() throws IOException {
    int blocks = 0;
    int moves = 0;
    for (long offset = CLUSTER; offset < SIZE; offset += CLUSTER) {
      long used = file.size();
      long entries = tableEntries();
      int flushes = flushesAfter(offset);
      boolean newTable = offset % COVERAGE == 0;
      boolean moved = tableEntries() != entries;
      // A block lies in the first cluster that it counts.
      boolean newBlock = used / COVERAGE != (file.size() - 1) / COVERAGE || used % COVERAGE == 0;
      blocks += newBlock ? 1 : 0;
      moves += moved ? 1 : 0;
      assertEquals(
          2 + (newTable ? 1 : 0) + (newBlock ? 1 : 0) + (moved ? 1 : 0),
          flushes,
          "guest offset " + offset + ", file of " + used + " bytes, " + entries + " entries");
    }
    assertEquals(SIZE / COVERAGE, blocks, SIZE / COVERAGE / 10.0);
    assertEquals(7, moves, "2 entries, 4, 8, 16, 32, 64, 128, 256");
  }
}
