package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.PlainFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class QcowWriteTest {
  private final MemoryFile file = new MemoryFile("image");

  @ParameterizedTest
  @CsvSource({
    "512, false, off",
    "512, true, off",
    "4096, false, off",
    "4096, true, on",
    "4096, false, on",
    "65536, false, off",
    "65536, true, off"
  })
  void imageEqualsAModelAfterAnyHistory(String clusterSize, boolean backed, String xen)
      throws IOException {
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    CreateOptions options = options(5 << 20).withOption("cluster_size", clusterSize);
    options = options.withOption("xen", xen);
    byte[] model = new byte[5 << 20];
    if (backed) {
      options = options.withBacking("base.raw", null);
      Samples.load("base.raw").readFully(ByteBuffer.wrap(model), 0);
    }
    BlockDevice device = Images.create(file, options);
    try {
      for (int i = 0; i < 400; i++) {
        int length = 1 + random.nextInt(random.nextInt(10) == 0 ? 300_000 : 9000);
        int offset = random.nextInt(model.length - length);
        switch (random.nextInt(8)) {
          case 0 -> {
            device.writeZeroes(offset, length);
            Arrays.fill(model, offset, offset + length, (byte) 0);
          }
          case 1 -> {
            device.discard(offset, length);
            byte[] after = read(device, offset, length);
            for (int at = 0; at < length; at++) {
              assertTrue(after[at] == 0 || after[at] == model[offset + at], "seed " + seed);
            }
            System.arraycopy(after, 0, model, offset, length);
          }
          case 2 -> device.flush();
          case 3 -> {
            device.close();
            device = Images.open(file, Samples.writing());
          }
          default -> {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            device.write(ByteBuffer.wrap(bytes), offset);
            System.arraycopy(bytes, 0, model, offset, length);
          }
        }
        assertArrayEquals(
            Arrays.copyOfRange(model, offset, offset + length),
            read(device, offset, length),
            "seed " + seed);
      }
      assertArrayEquals(model, Samples.content(device), "seed " + seed);
    } finally {
      device.close();
    }
    assertEquals(0, file.size() % Integer.parseInt(clusterSize));
    assertEquals(List.of(), check().findings(), "seed " + seed);
    try (BlockDevice again = Images.open(file, Samples.reading())) {
      assertArrayEquals(model, Samples.content(again), "seed " + seed);
    }
  }

  @Test
  void manyThreadsWriteAtOnce() throws IOException {
    int threads = 4;
    byte[] model = new byte[4 << 20];
    try (BlockDevice device = Images.create(file, options(4 << 20))) {
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        int mine = thread;
        writers.add(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    Random random = new Random(mine);
                    for (int i = 0; i < 1500; i++) {
                      // Sectors of four threads lie in each cluster.
                      int sector = random.nextInt(model.length / 512 / threads) * threads + mine;
                      byte[] bytes = new byte[512];
                      random.nextBytes(bytes);
                      device.write(ByteBuffer.wrap(bytes), sector * 512L);
                      System.arraycopy(bytes, 0, model, sector * 512, 512);
                      if (i % 300 == 299) {
                        device.flush();
                      }
                    }
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                }));
      }
      writers.forEach(CompletableFuture::join);
      assertArrayEquals(model, Samples.content(device));
    }
    assertEquals(List.of(), check().findings());
    try (BlockDevice again = Images.open(file, Samples.reading())) {
      assertArrayEquals(model, Samples.content(again));
    }
  }

  @Test
  void newTableIsDurableBeforeTheEntryThatNamesIt() throws IOException {
    Log log = new Log(file);
    try (BlockDevice device = Images.create(log, options(4 << 20))) {
      log.lines.clear();
      device.write(ByteBuffer.allocate(4096), 0);
      device.flush();
      assertEquals(
          List.of("write 12288+4096", "write 8192+4096", "flush", "write 4096+16", "flush"),
          log.lines);
    }
  }

  @Test
  void dataIsDurableBeforeTheEntryThatExposesIt() throws IOException {
    Log log = new Log(file);
    try (BlockDevice device = Images.create(log, options(4 << 20))) {
      device.write(ByteBuffer.allocate(4096), 0);
      device.flush();
      log.lines.clear();
      device.write(ByteBuffer.allocate(512), 8192 + 512);
      device.flush();
      assertEquals(List.of("write 16384+4096", "flush", "write 8192+4096", "flush"), log.lines);
    }
  }

  @Test
  void writeInPlaceCostsOneFlushAndNoTable() throws IOException {
    Log log = new Log(file);
    try (BlockDevice device = Images.create(log, options(4 << 20))) {
      device.write(ByteBuffer.allocate(4096), 0);
      device.flush();
      log.lines.clear();
      device.write(ByteBuffer.allocate(512), 512);
      device.flush();
      assertEquals(List.of("write 12800+512", "flush"), log.lines);
    }
  }

  @Test
  void largeWriteIsOneHostWrite() throws IOException {
    Log log = new Log(file);
    try (BlockDevice device = Images.create(log, options(4 << 20))) {
      log.lines.clear();
      device.write(ByteBuffer.allocate(1 << 20), 0);
      assertEquals(List.of("write 12288+1048576"), log.lines);
    }
  }

  @Test
  void discardNeverRevealsBacking() throws IOException {
    MemoryFile base = Samples.load("base.raw");
    try (BlockDevice device = Images.create(file, options(5 << 20).withBacking("base.raw", null))) {
      byte[] before = read(device, 0, 1 << 20);
      device.discard(0, 1 << 20);
      assertArrayEquals(before, read(device, 0, 1 << 20), "never written");
      device.write(ByteBuffer.allocate(1 << 20), 0);
      device.discard(0, 1 << 20);
      assertArrayEquals(new byte[1 << 20], read(device, 0, 1 << 20));
      assertEquals(
          java.util.EnumSet.of(Capability.WRITE, Capability.DISCARD, Capability.BACKING),
          device.capabilities());
    }
    assertEquals(Samples.load("base.raw").size(), base.size());
  }

  @Test
  void zeroesOverNothingTakeNoSpace() throws IOException {
    try (BlockDevice device = Images.create(file, options(1L << 40))) {
      long size = file.size();
      device.writeZeroes(4096, 1L << 39);
      device.discard(0, 1L << 40);
      device.flush();
      assertEquals(size, file.size());
      Extent all = device.extents(0, device.size()).iterator().next();
      assertEquals(Extent.Kind.HOLE, all.kind());
      assertEquals(1L << 40, all.length());
    }
  }

  @Test
  void zeroesOverABackingFileAreWritten() throws IOException {
    try (BlockDevice device = Images.create(file, options(5 << 20).withBacking("base.raw", null))) {
      device.writeZeroes(100, 10_000);
      byte[] expected = new byte[20_000];
      Samples.load("base.raw").readFully(ByteBuffer.wrap(expected), 0);
      Arrays.fill(expected, 100, 10_100, (byte) 0);
      assertArrayEquals(expected, read(device, 0, 20_000));
    }
  }

  @Test
  void zeroesOverABackingFileAreWrittenInLargePieces() throws IOException {
    byte[] bytes = new byte[1 << 20];
    Arrays.fill(bytes, (byte) 1);
    Log log = new Log(file);
    CreateOptions options = options(1 << 20).withOption("cluster_size", "4096");
    try (BlockDevice below = Images.ram(1 << 20)) {
      below.write(ByteBuffer.wrap(bytes), 0);
      Images.create(log, options.withBacking("base.raw", null)).close();
      try (BlockDevice device = Images.open(log, Samples.writing().withBacking(below))) {
        assertArrayEquals(bytes, read(device, 0, 1 << 20));
        log.lines.clear();
        device.writeZeroes(0, 1 << 20);
        assertTrue(log.lines.size() < 20, log.lines.toString());
        assertArrayEquals(new byte[1 << 20], read(device, 0, 1 << 20));
      }
    }
  }

  @Test
  void discardGivesStoredClustersToTheHostWhereItTakesThem() throws IOException {
    try (BlockDevice device = Images.create(file, options(4 << 20))) {
      byte[] bytes = new byte[1 << 20];
      Arrays.fill(bytes, (byte) 1);
      device.write(ByteBuffer.wrap(bytes), 0);
      device.discard(0, 1 << 20);
      assertArrayEquals(new byte[1 << 20], read(device, 0, 1 << 20));
      // And into the same place again.
      long size = file.size();
      device.write(ByteBuffer.wrap(bytes), 0);
      device.flush();
      assertEquals(size, file.size());
    }
  }

  @Test
  void spaceOfAFailedWriteIsUsedByTheNext() throws IOException {
    Log log = new Log(file);
    try (BlockDevice device = Images.create(log, options(4 << 20))) {
      device.write(ByteBuffer.allocate(4096), 0);
      device.flush();
      long size = file.size();
      log.failing = true;
      assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(4096), 1 << 20));
      log.failing = false;
      assertArrayEquals(new byte[4096], read(device, 1 << 20, 4096));
      device.write(ByteBuffer.allocate(4096), 1 << 20);
      device.flush();
      assertEquals(size + 4096, file.size());
    }
    assertEquals(List.of(), check().findings());
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "4096", "65536"})
  void unitsAreStoredCompressedAndMayBeOverwritten(String clusterSize) throws IOException {
    byte[] model = new byte[(1 << 20) + 512];
    Samples.load("base.raw").readFully(ByteBuffer.wrap(model), 0);
    try (BlockDevice device =
        Images.create(file, options(model.length).withOption("cluster_size", clusterSize))) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      for (int offset = 0; offset < model.length; offset += units.unit()) {
        ByteBuffer unit = ByteBuffer.allocate(units.unit());
        unit.put(model, offset, Math.min(units.unit(), model.length - offset)).clear();
        units.append(offset, unit.duplicate(), units.encode(unit.duplicate()));
      }
      assertArrayEquals(model, Samples.content(device));
    }
    CheckReport report = check();
    assertEquals(List.of(), report.findings());
    assertTrue(report.compressedUnits() > 0);
    try (BlockDevice device = Images.open(file, Samples.writing())) {
      assertArrayEquals(model, Samples.content(device));
      device.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 1000);
      System.arraycopy(new byte[] {1, 2, 3}, 0, model, 1000, 3);
      device.writeZeroes(10_000, 70_000);
      Arrays.fill(model, 10_000, 80_000, (byte) 0);
      assertArrayEquals(model, Samples.content(device));
    }
    assertEquals(List.of(), check().findings());
    try (BlockDevice device = Images.open(file, Samples.reading())) {
      assertArrayEquals(model, Samples.content(device));
    }
  }

  @Test
  void compressedUnitsLieRightBehindEachOther() throws IOException {
    try (BlockDevice device = Images.create(file, options(4 << 20))) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      byte[] unit = new byte[4096];
      Arrays.fill(unit, (byte) 7);
      ByteBuffer encoded = units.encode(ByteBuffer.wrap(unit));
      int length = encoded.remaining();
      for (int i = 0; i < 3; i++) {
        units.append(i * 4096L, ByteBuffer.wrap(unit), encoded.duplicate());
      }
      // Behind the L2 table.
      assertEquals(12288, device.extentAt(0, 1).fileOffset());
      assertEquals(12288 + length, device.extentAt(4096, 1).fileOffset());
      assertEquals(12288 + 2 * length, device.extentAt(8192, 1).fileOffset());
      assertEquals(0, units.encode(random(4096)).remaining(), "random bytes do not shrink");
    }
  }

  /** Guards: what another program left to the reader of its last cluster is nobody else's space. */
  @Test
  void lastClusterThatTheFileCutsOffKeepsItsPlace() throws IOException {
    byte[] model = new byte[4 << 20];
    try (BlockDevice device = Images.create(file, options(model.length))) {
      byte[] bytes = random(8192).array();
      device.write(ByteBuffer.wrap(bytes), 0);
      device.flush();
      device.write(ByteBuffer.wrap(bytes, 0, 1000), 1 << 20);
      System.arraycopy(bytes, 0, model, 0, 8192);
      System.arraycopy(bytes, 0, model, 1 << 20, 1000);
    }
    file.resize(file.size() - 4096 + 1024);
    try (BlockDevice device = Images.open(file, Samples.writing())) {
      assertArrayEquals(model, Samples.content(device));
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      byte[] unit = new byte[4096];
      Arrays.fill(unit, (byte) 7);
      units.append(2 << 20, ByteBuffer.wrap(unit), units.encode(ByteBuffer.wrap(unit)));
      System.arraycopy(unit, 0, model, 2 << 20, 4096);
      assertArrayEquals(model, Samples.content(device));
    }
    assertEquals(List.of(), check().findings());
  }

  @Test
  void imageOfXensStaysXensUntilAClusterIsAllocated() throws IOException {
    MemoryFile xen = Samples.load("img2qcow-xen-3.4rc3.qcow");
    try (BlockDevice device = Images.open(xen, Samples.writing())) {
      device.write(ByteBuffer.allocate(8192), 4096);
      assertTrue(device.info().details().containsKey("xen"));
    }
    assertEquals(0x58454efb, u32(xen, 48), "every cluster had its place");
    MemoryFile empty = Samples.load("empty4-xen-4.1-blktap2.qcow");
    try (BlockDevice device = Images.open(empty, Samples.writing())) {
      device.write(ByteBuffer.allocate(1), 4096);
      assertFalse(device.info().details().containsKey("xen"));
    }
    assertEquals(0, u32(empty, 48));
  }

  /** Guards: a little-endian table is never left without the extension that makes it known. */
  @Test
  void littleEndianTableStaysKnown() throws IOException {
    MemoryFile xen = Samples.load("img2qcow-xen-3.2rc6.qcow");
    byte[] model;
    try (BlockDevice device = Images.open(xen, Samples.reading())) {
      model = Samples.content(device);
    }
    // The last table goes, so that there is something to allocate.
    xen.write(ByteBuffer.allocate(8), 4096 + 16);
    Arrays.fill(model, 4 << 20, 5 << 20, (byte) 0);
    try (BlockDevice device = Images.open(xen, Samples.writing())) {
      byte[] bytes = random(50_000).array();
      device.write(ByteBuffer.wrap(bytes), (4 << 20) + 1000);
      System.arraycopy(bytes, 0, model, (4 << 20) + 1000, 50_000);
    }
    assertEquals(0x58454efb, u32(xen, 48));
    assertEquals(1, u32(xen, 56), "extents of a whole table");
    try (BlockDevice device = Images.open(xen, Samples.reading())) {
      assertArrayEquals(model, Samples.content(device));
    }
  }

  @Test
  void featureOfAReaderChangesNothing() throws IOException {
    MemoryFile xen = Samples.load("img2qcow-xen-3.4rc3.qcow");
    Log log = new Log(xen);
    try (BlockDevice device = Images.open(log, Samples.writing())) {
      device.feature(Checking.class).orElseThrow().check((done, total) -> true);
      device.flush();
    }
    assertEquals(List.of(), log.lines);
  }

  @Test
  void smallCacheOfTablesDoesForALargeDisk() throws IOException {
    byte[] sector = random(512).array();
    CreateOptions options = options(64L << 30);
    Images.create(file, options).close();
    try (BlockDevice device = Images.open(file, Samples.writing().withMetadataCache(65_536))) {
      for (long offset = 0; offset < 64L << 30; offset += 100L << 20) {
        device.write(ByteBuffer.wrap(sector), offset);
      }
      for (long offset = 0; offset < 64L << 30; offset += 100L << 20) {
        assertArrayEquals(sector, read(device, offset, 512));
      }
    }
    assertEquals(List.of(), check().findings());
  }

  private static CreateOptions options(long size) {
    return CreateOptions.of("qcow", size)
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(Samples.POLICY);
  }

  private CheckReport check() throws IOException {
    try (BlockDevice device = Images.open(file, Samples.reading())) {
      return device.feature(Checking.class).orElseThrow().check((done, total) -> true);
    }
  }

  private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }

  private static int u32(HostFile file, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4);
    file.readFully(bytes, offset);
    return bytes.getInt(0);
  }

  private static ByteBuffer random(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** Remembers what is changed, and can fail. */
  private static final class Log extends ForwardingFile {
    final List<String> lines = new ArrayList<>();
    boolean failing;
    private boolean written;

    Log(HostFile file) {
      super(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (failing) {
        throw new IOException("planned");
      }
      lines.add("write " + offset + "+" + src.remaining());
      written = true;
      super.write(src, offset);
    }

    @Override
    public void flush() throws IOException {
      if (written) {
        lines.add("flush");
        written = false;
      }
      super.flush();
    }
  }
}
