package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.feature.OrderedWriter;
import io.vdisk.feature.Reserving;
import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the engine asks of a layout and a host file, and in which order. */
@Timeout(60)
class ImageDeviceTest {
  private static final int UNIT = UnitLayout.UNIT;
  private static final long SIZE = 16 * UNIT + 100;

  private final HostLog host = new HostLog();
  private final UnitLayout layout = new UnitLayout(host, SIZE);
  private final AtomicInteger released = new AtomicInteger();
  private final ImageDevice device = device(layout, Optional.empty());

  private ImageDevice device(UnitLayout units, Optional<BlockDevice> backing) {
    return new ImageDevice(units, true, backing, released::incrementAndGet);
  }

  @Test
  void dataIsWithTheHostBeforeItIsCommitted() throws IOException {
    host.before = line -> layout.log.add(line);
    write(device, 0, bytes(UNIT, 1));
    assertEquals(
        List.of("before 0+4096", "allocate 0+4096", "write 4096+4096", "commit 0"), layout.log());
  }

  @Test
  void whoWritesInOrderHearsOfItsSpaceBeforeTheBytesMove() throws IOException {
    layout.log.clear();
    host.before = line -> layout.log.add(line);
    OrderedWriter writer = device.feature(OrderedWriter.class).orElseThrow();

    writer.write(ByteBuffer.wrap(bytes(UNIT, 1)), 0, () -> layout.log.add("placed"));
    assertEquals(
        List.of("allocate 0+4096", "placed", "write 4096+4096", "commit 0", "placed"),
        layout.log().subList(1, 6));

    writer.write(ByteBuffer.wrap(bytes(9, 2)), 7, () -> layout.log.add("placed"));
    assertEquals(List.of("placed", "write 4103+9", "placed"), layout.log().subList(1, 4));

    writer.write(ByteBuffer.allocate(0), 7, () -> layout.log.add("placed"));
    assertEquals(List.of("placed"), layout.log(), "nothing to write, and still somebody's turn");
  }

  /** Of a write that takes several pieces of space, the last one tells. */
  @Test
  void whoWritesInOrderHearsOfItsLastSpace() throws IOException {
    write(device, UNIT, bytes(1, 3));
    layout.log.clear();
    host.before = line -> layout.log.add(line);
    OrderedWriter writer = device.feature(OrderedWriter.class).orElseThrow();

    writer.write(ByteBuffer.wrap(bytes(3 * UNIT, 1)), 0, () -> layout.log.add("placed"));

    List<String> log = layout.log();
    assertEquals("allocate 8192+4096", log.get(log.indexOf("placed") - 1), log.toString());
  }

  @Test
  void blocksAreSharedIntoWholeUnits() throws IOException {
    HostLog source = new HostLog();
    write(source, 0, bytes(4 * UNIT, 9));
    host.sharing = true;
    host.before = line -> layout.log.add(line);
    OrderedWriter writer = device.feature(OrderedWriter.class).orElseThrow();
    Runnable placed = () -> layout.log.add("placed");

    assertEquals(UNIT, writer.share(source, 2 * UNIT, 0, UNIT, placed));
    assertEquals(
        List.of("allocate 0+4096", "share 4096+4096", "placed", "commit 0"),
        layout.log().subList(1, 5));
    assertArrayEquals(bytes(UNIT, 9), read(device, 0, UNIT));

    assertEquals(100, writer.share(source, 0, 50, 100, placed), "in place");
    assertEquals(List.of("placed", "share 4146+100"), layout.log().subList(2, 4));
  }

  @Test
  void partOfAUnitIsNotShared() throws IOException {
    host.sharing = true;
    OrderedWriter writer = device.feature(OrderedWriter.class).orElseThrow();

    assertEquals(0, writer.share(new HostLog(), 0, 0, 100, () -> {}));

    assertEquals(List.of("before 0+100", "allocate 0+100", "abort 0"), layout.log());
  }

  @Test
  void hostThatSharesNothingLeavesNothingSetAside() throws IOException {
    OrderedWriter writer = device.feature(OrderedWriter.class).orElseThrow();

    assertEquals(0, writer.share(new HostLog(), 0, 0, UNIT, () -> {}));

    assertEquals(List.of("before 0+4096", "allocate 0+4096", "abort 0"), layout.log());
  }

  @Test
  void whatIsReservedHasItsBlocksBeforeItIsCommitted() throws IOException {
    host.allocating = true;
    host.before = line -> layout.log.add(line);
    Reserving reserving = device.feature(Reserving.class).orElseThrow();

    assertEquals(UNIT, reserving.reserve(0, 3 * UNIT));

    assertEquals(
        List.of("before 0+12288", "allocate 0+4096", "reserve 4096+4096", "commit 0"),
        layout.log());
    assertEquals(List.of(), host.writes());
    assertArrayEquals(new byte[UNIT], read(device, 0, UNIT));
  }

  @Test
  void partOfAUnitIsReservedWithTheRestOfIt() throws IOException {
    host.allocating = true;
    Reserving reserving = device.feature(Reserving.class).orElseThrow();

    assertEquals(9, reserving.reserve(2 * UNIT + 7, 9));

    assertEquals("reserve 4096+4096", host.last());
  }

  @Test
  void whatIsStoredKeepsItsPlace() throws IOException {
    host.allocating = true;
    write(device, 0, bytes(UNIT, 1));
    layout.log();
    Reserving reserving = device.feature(Reserving.class).orElseThrow();

    assertEquals(UNIT - 50, reserving.reserve(50, 2 * UNIT));

    assertEquals("reserve 4146+4046", host.last());
    assertEquals(List.of("before 50+8192"), layout.log());
    assertArrayEquals(bytes(UNIT, 1), read(device, 0, UNIT));
  }

  @Test
  void whatABackingDeviceHoldsIsNotReserved() throws IOException {
    host.allocating = true;
    UnitLayout below = new UnitLayout(new HostLog(), UNIT + 150);
    BlockDevice backing = device(below, Optional.empty());
    write(backing, UNIT + 100, bytes(1, 5));
    BlockDevice overlay = device(layout, Optional.of(backing));
    Reserving reserving = overlay.feature(Reserving.class).orElseThrow();

    assertEquals(0, reserving.reserve(UNIT, UNIT));
    assertEquals(0, reserving.reserve(UNIT + 200, 300), "nor the rest of its unit");

    assertArrayEquals(bytes(1, 5), read(overlay, UNIT + 100, 1));
    assertFalse(layout.log().contains("commit 1"));
  }

  @Test
  void spaceThatHeldSomethingElseIsNotReservedUnlessItCanBeMadeZero() throws IOException {
    host.allocating = true;
    layout.reuse = true;
    Reserving reserving = device.feature(Reserving.class).orElseThrow();

    assertEquals(0, reserving.reserve(0, UNIT));

    assertEquals(List.of("before 0+4096", "allocate 0+4096", "abort 0"), layout.log());
  }

  @Test
  void hostThatCannotAllocateLeavesNothingSetAside() throws IOException {
    Reserving reserving = device.feature(Reserving.class).orElseThrow();

    assertEquals(0, reserving.reserve(0, UNIT));

    assertEquals(List.of("before 0+4096", "allocate 0+4096", "abort 0"), layout.log());
  }

  @Test
  void writeInPlaceAsksForNoSpace() throws IOException {
    write(device, 0, bytes(UNIT, 1));
    layout.log();
    write(device, 10, bytes(20, 2));
    assertEquals(List.of("before 10+20"), layout.log());
    assertEquals("write 4106+20", host.last());
  }

  @Test
  void edgesThatReadAsZeroAreLeftOutOfSpaceThatDoes() throws IOException {
    write(device, 100, bytes(8, 1));
    assertEquals(List.of("write 4196+8"), host.writes());
  }

  @Test
  void edgesAreZeroedInSpaceThatWasUsedBefore() throws IOException {
    layout.reuse = true;
    write(host, UNIT, bytes(UNIT, 77));
    host.writes();
    write(device, 100, bytes(8, 1));
    assertEquals(List.of("write 4096+4096"), host.writes(), "edges and data in one write");
    byte[] expected = new byte[UNIT];
    Arrays.fill(expected, 100, 108, (byte) 1);
    assertArrayEquals(expected, read(device, 0, UNIT));
  }

  @Test
  void edgesAreCopiedUpFromTheBacking() throws IOException {
    UnitLayout base = new UnitLayout(new HostLog(), 6000);
    ImageDevice backing = device(base, Optional.empty());
    write(backing, 0, bytes(6000, 5));
    ImageDevice overlay = device(layout, Optional.of(backing));
    write(overlay, 5000, bytes(10, 6));
    byte[] expected = new byte[2 * UNIT];
    Arrays.fill(expected, 0, 6000, (byte) 5);
    Arrays.fill(expected, 5000, 5010, (byte) 6);
    assertArrayEquals(expected, read(overlay, 0, 2 * UNIT));
  }

  @Test
  void failedDataWriteGivesTheSpaceBack() throws IOException {
    host.failing = "write";
    assertThrows(IOException.class, () -> write(device, 0, bytes(10, 1)));
    assertEquals(List.of("before 0+10", "allocate 0+10", "abort 0"), layout.log());
    host.failing = "";
    assertArrayEquals(new byte[10], read(device, 0, 10));
  }

  @Test
  void whoFindsNoRoomFlushesRecyclesAndTriesOnceMore() throws IOException {
    layout.failNextAllocation(new NoSpaceException("full"));
    write(device, 0, bytes(10, 1));
    assertEquals(
        List.of("before 0+10", "flush", "before 0+10", "allocate 0+10", "commit 0"), layout.log());
    assertArrayEquals(bytes(10, 1), read(device, 0, 10));
  }

  @Test
  void freedSpaceIsOfferedAgainOnlyWhenRequestsFromBeforeHaveEnded() throws Exception {
    write(device, 0, bytes(UNIT, 1));
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    host.before =
        line -> {
          if (line.startsWith("read")) {
            reading.countDown();
            await(go);
          }
        };
    CompletableFuture<byte[]> reader =
        CompletableFuture.supplyAsync(() -> readQuietly(device, 0, UNIT));
    await(reading);
    device.discard(0, UNIT);
    device.flush();
    assertFalse(layout.log().contains("recycle 1"));
    go.countDown();
    assertArrayEquals(bytes(UNIT, 1), reader.get());
    device.flush();
    assertTrue(layout.log().contains("recycle 1"));
  }

  @Test
  void batchThatBecomesDurableDuringAGracePeriodWaitsForTheNext() throws Exception {
    write(device, 0, bytes(2 * UNIT, 1));
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    host.before =
        line -> {
          if (line.startsWith("read")) {
            reading.countDown();
            await(go);
          }
        };
    CompletableFuture<byte[]> reader =
        CompletableFuture.supplyAsync(() -> readQuietly(device, 0, UNIT));
    await(reading);
    device.discard(0, UNIT);
    device.flush();
    device.discard(UNIT, UNIT);
    device.flush();
    go.countDown();
    reader.get();
    layout.log();
    device.flush();
    List<String> log = layout.log();
    assertEquals(1, log.indexOf("recycle 1"), log.toString());
  }

  @Test
  void muchFreedSpaceIsFlushedByTheWayside() throws IOException {
    UnitLayout large = new UnitLayout(host, 64L << 20);
    ImageDevice disk = device(large, Optional.empty());
    byte[] piece = bytes(1 << 20, 1);
    for (int i = 0; i < 6; i++) {
      write(disk, (long) i << 20, piece);
    }
    large.log();
    disk.discard(0, 4L << 20);
    assertFalse(large.log().contains("flush"));
    disk.discard(4L << 20, 2L << 20);
    assertTrue(large.log().contains("flush"));
  }

  @Test
  void afterAFailedHostFlushChangesFailAndReadsGoOn() throws IOException {
    write(device, 0, bytes(10, 1));
    layout.failNextFlush(new HostFlushException("gone", new IOException("gone")));
    assertThrows(HostFlushException.class, device::flush);
    assertThrows(HostFlushException.class, device::flush);
    assertThrows(HostFlushException.class, () -> write(device, 0, bytes(10, 2)));
    assertThrows(HostFlushException.class, () -> device.discard(0, UNIT));
    assertArrayEquals(bytes(10, 1), read(device, 0, 10));
    assertThrows(HostFlushException.class, device::close);
    assertEquals(1, released.get());
  }

  @Test
  void failedWriteOfTablesIsNotFinal() throws IOException {
    layout.failNextFlush(new IOException("full"));
    assertThrows(IOException.class, device::flush);
    device.flush();
  }

  @Test
  void whoIsAloneFindsEverythingSettledAndTablesAreReadAgain() throws IOException {
    write(device, 0, bytes(UNIT, 1));
    device.discard(0, UNIT);
    layout.log();
    String result =
        device.call(
            () -> {
              assertEquals(0, layout.quarantinedBytes());
              write(device, 0, bytes(1, 3));
              return "done";
            });
    assertEquals("done", result);
    assertEquals(
        List.of(
            "flush",
            "recycle 1",
            "flush",
            "before 0+1",
            "allocate 0+1",
            "commit 0",
            "flush",
            "reload"),
        layout.log());
  }

  @Test
  void tablesAreReadAgainAlsoWhenTheBodyFailed() throws IOException {
    assertThrows(
        IOException.class,
        () ->
            device.call(
                () -> {
                  throw new IOException("planned");
                }));
    assertTrue(layout.log().contains("reload"));
    write(device, 0, bytes(1, 3));
  }

  @Test
  void closeWaitsForRequestsAndHappensOnce() throws Exception {
    write(device, 0, bytes(UNIT, 1));
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    host.before =
        line -> {
          if (line.startsWith("read")) {
            reading.countDown();
            await(go);
          }
        };
    CompletableFuture<byte[]> reader =
        CompletableFuture.supplyAsync(() -> readQuietly(device, 0, UNIT));
    await(reading);
    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(
            () -> {
              try {
                device.close();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    assertEquals(0, released.get());
    go.countDown();
    reader.get();
    closing.get();
    device.close();
    assertEquals(1, released.get());
    assertThrows(ClosedChannelException.class, () -> read(device, 0, 1));
    assertThrows(ClosedChannelException.class, () -> write(device, 0, bytes(1, 1)));
  }

  @Test
  void encipheredBytesReadAsTheyWereWrittenWhateverTheAlignment() throws IOException {
    UnitLayout enciphered = new UnitLayout(host, 3 * UNIT).with(new XorCipher());
    ImageDevice disk = device(enciphered, Optional.empty());
    byte[] model = new byte[3 * UNIT];
    int[][] ranges = {{700, 30}, {0, 512}, {511, 2}, {4000, 5000}, {1, 12_000}, {12_287, 1}};
    int value = 1;
    for (int[] range : ranges) {
      byte[] piece = bytes(range[1], value++);
      write(disk, range[0], piece);
      System.arraycopy(piece, 0, model, range[0], piece.length);
      assertArrayEquals(model, read(disk, 0, model.length), Arrays.toString(range));
      assertArrayEquals(
          Arrays.copyOfRange(model, 333, 9333), read(disk, 333, 9000), Arrays.toString(range));
    }
  }

  /** Guards: whoever copies what an extent's file holds would copy what is enciphered. */
  @Test
  void extentOfEncipheredBytesNamesNoFile() throws IOException {
    ImageDevice disk =
        device(new UnitLayout(host, 3 * UNIT).with(new XorCipher()), Optional.empty());
    write(disk, 0, bytes(UNIT, 1));

    assertEquals(Extent.data(0, UNIT), disk.extentAt(0, UNIT));
    OrderedWriter writer = disk.feature(OrderedWriter.class).orElseThrow();
    host.sharing = true;
    assertEquals(0, writer.share(new HostLog(), 0, 0, UNIT, () -> {}), "nor are plain bytes taken");
  }

  /** What was never written there deciphers to noise. */
  @Test
  void unwrittenSpaceIsNotReservedUnderACipher() throws IOException {
    host.allocating = true;
    ImageDevice disk = device(layout.with(new LabellingCipher()), Optional.empty());
    Reserving reserving = disk.feature(Reserving.class).orElseThrow();

    assertEquals(0, reserving.reserve(0, UNIT));

    assertEquals(List.of("before 0+4096"), layout.log());
  }

  @Test
  void cipherIsToldWhereSectorsLieInTheDiskAndInTheFile() throws IOException {
    UnitLayout enciphered = new UnitLayout(host, 3 * UNIT).with(new LabellingCipher());
    ImageDevice disk = device(enciphered, Optional.empty());
    write(disk, 2 * UNIT + 700, bytes(30, 1));
    write(disk, 0, bytes(UNIT, 2));
    write(disk, 511, bytes(2, 3));
    byte[] unused = read(disk, 0, 3 * UNIT);
    for (int at = 0; at < UNIT; at += 512) {
      assertLabel(2 * UNIT + at, UNIT + at);
      assertLabel(at, 2 * UNIT + at);
    }
  }

  private void assertLabel(long offset, int fileOffset) {
    ByteBuffer sector = ByteBuffer.wrap(host.bytes, fileOffset, 512);
    assertEquals(offset, sector.getLong(), "guest offset");
    assertEquals(fileOffset, sector.getLong(), "file offset");
  }

  @Test
  void lastUnitMayReachPastTheEndOfTheDisk() throws IOException {
    layout.reuse = true;
    write(host, UNIT, bytes(UNIT, 77));
    write(device, SIZE - 50, bytes(50, 1));
    byte[] expected = new byte[100];
    Arrays.fill(expected, 50, 100, (byte) 1);
    assertArrayEquals(expected, read(device, SIZE - 100, 100));
    assertArrayEquals(new byte[UNIT - 100], Arrays.copyOfRange(host.bytes, UNIT + 100, 2 * UNIT));
  }

  @Test
  void zeroingUsesWholeUnitsAndWritesTheEdges() throws IOException {
    write(device, 0, bytes(3 * UNIT, 9));
    layout.log();
    device.writeZeroes(100, 2 * UNIT);
    assertEquals(List.of("before 100+8192", "zero 4096+4096"), layout.log());
    byte[] expected = new byte[3 * UNIT];
    Arrays.fill(expected, (byte) 9);
    Arrays.fill(expected, 100, 100 + 2 * UNIT, (byte) 0);
    assertArrayEquals(expected, read(device, 0, 3 * UNIT));
  }

  @Test
  void twoWritersOfOneUnitAllocateItOnce() throws Exception {
    duringTheFirstWrite(() -> writeQuietly(device, 2000, bytes(10, 2)));
    assertEquals(1, layout.log().stream().filter(line -> line.startsWith("allocate")).count());
    assertArrayEquals(bytes(10, 1), read(device, 0, 10));
    assertArrayEquals(bytes(10, 2), read(device, 2000, 10));
  }

  @Test
  void unitIsNotZeroedBeforeTheWriteThatAllocatesItIsCommitted() throws Exception {
    duringTheFirstWrite(() -> writeZeroesQuietly(device, 0, UNIT));
    List<String> log = layout.log();
    assertTrue(log.indexOf("commit 0") < log.indexOf("zero 0+4096"), log.toString());
    assertArrayEquals(new byte[10], read(device, 0, 10));
  }

  /**
   * Holds a write of ten bytes at 0 between allocation and commit until {@code other} has come as
   * far as it can: it waits, or has ended.
   */
  private void duringTheFirstWrite(Runnable other) throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    host.before =
        line -> {
          if (line.equals("write 4096+10")) {
            writing.countDown();
            await(go);
          }
        };
    CompletableFuture<Void> first =
        CompletableFuture.runAsync(() -> writeQuietly(device, 0, bytes(10, 1)));
    await(writing);
    FutureTask<Void> task = new FutureTask<>(other, null);
    Thread second = new Thread(task);
    second.start();
    while (second.getState() != Thread.State.WAITING
        && second.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
    go.countDown();
    first.get();
    task.get();
  }

  @Test
  void callersBufferKeepsItsLimit() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(100).position(10).limit(60);
    device.read(buffer, 0);
    assertEquals(60, buffer.position());
    assertEquals(60, buffer.limit());
    assertSame(buffer, buffer.flip().position(5));
    device.write(buffer.asReadOnlyBuffer(), 0);
    assertEquals(60, buffer.limit());
  }

  private static byte[] bytes(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static void write(BlockDevice device, long offset, byte[] bytes) throws IOException {
    device.write(ByteBuffer.wrap(bytes), offset);
  }

  private static void write(HostFile file, long offset, byte[] bytes) throws IOException {
    file.write(ByteBuffer.wrap(bytes), offset);
  }

  private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    device.read(buffer, offset);
    return buffer.array();
  }

  private static void writeQuietly(BlockDevice device, long offset, byte[] bytes) {
    try {
      write(device, offset, bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void writeZeroesQuietly(BlockDevice device, long offset, long length) {
    try {
      device.writeZeroes(offset, length);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] readQuietly(BlockDevice device, long offset, int length) {
    try {
      return read(device, offset, length);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Sectors of 512 bytes, each XORed with its number in the host file; wrong place, wrong bytes.
   */
  private static final class XorCipher implements SectorCipher {
    @Override
    public int sectorSize() {
      return 512;
    }

    @Override
    public void decrypt(ByteBuffer data, long offset, long fileOffset) {
      ByteBuffer source = data.duplicate();
      encrypt(source, data, offset, fileOffset);
    }

    @Override
    public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset) {
      assertEquals(0, offset % 512);
      assertEquals(0, fileOffset % 512);
      assertEquals(0, plain.remaining() % 512);
      for (long at = fileOffset; plain.hasRemaining(); at++) {
        target.put((byte) (plain.get() ^ (0x5a + at / 512)));
      }
    }
  }

  /** Writes both offsets at the head of each sector, and expects to find them there. */
  private static final class LabellingCipher implements SectorCipher {
    @Override
    public int sectorSize() {
      return 512;
    }

    @Override
    public void decrypt(ByteBuffer data, long offset, long fileOffset) {
      for (int done = 0; data.hasRemaining(); done += 512) {
        assertEquals(offset + done, data.getLong(data.position()));
        assertEquals(fileOffset + done, data.getLong(data.position() + 8));
        data.position(data.position() + 512);
      }
    }

    @Override
    public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset) {
      for (int done = 0; plain.hasRemaining(); done += 512) {
        target.putLong(offset + done).putLong(fileOffset + done);
        plain.position(plain.position() + 16);
        target.put(plain.slice().limit(496));
        plain.position(plain.position() + 496);
      }
    }
  }
}
