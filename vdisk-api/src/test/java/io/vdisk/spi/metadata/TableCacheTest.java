package io.vdisk.spi.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TableCacheTest {
  private static final long AMPLE = 1 << 20;

  @Test
  void sliceOfAnAbsentTableIsNull() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    assertNull(tables.cache.load(tables.entries, 3));
  }

  @Test
  void hitTakesNoLock() throws Exception {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    Slice loaded = tables.cache.load(tables.counts, 1);
    tables.cache.lock().lock();
    try {
      CompletableFuture<Slice> hit =
          CompletableFuture.supplyAsync(() -> tables.cache.peek(tables.counts, 1));
      assertSame(loaded, hit.get());
    } finally {
      tables.cache.lock().unlock();
    }
  }

  /** Guards: the position is found in the hold of the lock that marks the slice as being loaded. */
  @Test
  void missFindsItsPositionAfterATableMoved() throws IOException {
    AtomicBoolean moved = new AtomicBoolean();
    List<Tables> late = new ArrayList<>();
    Pause move =
        point -> {
          if (point.equals("miss") && !late.isEmpty() && moved.compareAndSet(false, true)) {
            move(late.get(0), 0, 16_384, 20_480);
          }
        };
    Tables tables = new Tables(AMPLE, move);
    tables.place(0, 16_384);
    assertNotNull(tables.cache.load(tables.root, 0));
    late.add(tables);
    Slice slice = present(tables.cache.load(tables.entries, 0));
    assertTrue(moved.get());
    assertEquals(20_480, slice.position());
    assertEquals(42, slice.word(0));
  }

  /**
   * What a layout does when a table moves: its content goes along, and the parent's word changes.
   */
  private static void move(Tables tables, int slice, int from, int to) {
    System.arraycopy(tables.disk.bytes, from, tables.disk.bytes, to, 4096);
    java.nio.ByteBuffer.wrap(tables.disk.bytes).putLong(to, 42);
    try {
      tables.cache.locked(
          hold -> {
            Slice root = present(hold.slice(tables.root, 0));
            hold.set(root, slice, to);
            return null;
          });
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Guards: a change looks whether the slice is still the one in memory. */
  @Test
  void changeOfAnEvictedSliceIsRefused() throws IOException {
    Tables tables = new Tables(1, Pause.NONE);
    Slice first = present(tables.cache.load(tables.counts, 0));
    for (int i = 1; i < Tables.SLICES; i++) {
      tables.cache.load(tables.counts, i);
    }
    assertNull(tables.cache.peek(tables.counts, 0));
    assertThrows(
        IllegalStateException.class,
        () ->
            tables.cache.locked(
                hold -> {
                  hold.set(first, 0, 1);
                  return null;
                }));
  }

  /** Guards: dirty slices are passed over by the clock. */
  @Test
  void dirtySliceIsNeverEvicted() throws IOException {
    Tables tables = new Tables(1, Pause.NONE);
    Slice dirty = set(tables, tables.counts, 0, 5, 99);
    for (int round = 0; round < 3; round++) {
      for (int i = 1; i < Tables.SLICES; i++) {
        tables.cache.load(tables.counts, i);
      }
    }
    assertSame(dirty, tables.cache.peek(tables.counts, 0));
    assertEquals(99, dirty.word(5));
  }

  @Test
  void walkReadsSlicesThatLieBehindEachOtherAtOnce() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    for (int i = 0; i < Tables.SLICES; i++) {
      java.nio.ByteBuffer.wrap(tables.disk.bytes).putLong(65_536 + i * 4096, i);
    }
    for (int i = 0; i < Tables.SLICES; i++) {
      assertEquals(i, present(tables.cache.load(tables.counts, i)).word(0));
    }
    assertEquals(
        List.of(
            "read 65536+4096",
            "read 69632+65536",
            "read 135168+65536",
            "read 200704+65536",
            "read 266240+61440"),
        tables.disk.log);
  }

  @Test
  void walkReadsNoFurtherThanATableGoesOn() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    tables.place(0, 300_000);
    tables.place(1, 304_096);
    tables.place(2, 308_192);
    tables.place(3, 400_000);
    tables.cache.load(tables.root, 0);
    tables.cache.load(tables.entries, 0);
    tables.disk.log.clear();

    tables.cache.load(tables.entries, 1);

    assertEquals(List.of("read 304096+8192"), tables.disk.log);
    assertNotNull(tables.cache.peek(tables.entries, 2));
    assertNull(tables.cache.peek(tables.entries, 3));
  }

  @Test
  void whoJumpsAboutReadsWhatIsAskedFor() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    for (int i : new int[] {5, 3, 9, 4}) {
      tables.cache.load(tables.counts, i);
    }
    assertEquals(
        List.of("read 86016+4096", "read 77824+4096", "read 102400+4096", "read 81920+4096"),
        tables.disk.log);
  }

  /** Guards: a slice is not lost because one behind it cannot be read. */
  @Test
  void sliceIsReadAloneWhereThoseBehindItFail() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    tables.cache.load(tables.counts, 0);
    tables.disk.before =
        line -> {
          if (line.equals("read 69632+65536")) {
            throw new IllegalStateException();
          }
        };

    assertNotNull(tables.cache.load(tables.counts, 1));

    assertEquals("read 69632+4096", tables.disk.log.get(tables.disk.log.size() - 1));
    assertNull(tables.cache.peek(tables.counts, 2));
    assertNotNull(tables.cache.load(tables.counts, 2));
  }

  @Test
  void sliceIsReadWhereTheFileEndsBehindIt() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    int end = tables.disk.bytes.length;
    tables.place(0, end - 8192);
    tables.place(1, end - 4096);
    tables.place(2, end);
    tables.cache.load(tables.root, 0);
    tables.cache.load(tables.entries, 0);

    assertNotNull(tables.cache.load(tables.entries, 1));
    assertThrows(CorruptImageException.class, () -> tables.cache.load(tables.entries, 2));
  }

  @Test
  void budgetBoundsWhatIsKept() throws IOException {
    Tables tables = new Tables(40 * 4096, Pause.NONE);
    for (int i = 0; i < Tables.SLICES; i++) {
      tables.cache.load(tables.counts, i);
    }
    assertEquals(40 * 4096, tables.cache.budget().used());
  }

  /** Guards: nothing is evicted inside a body. */
  @Test
  void whatABodyLookedUpStaysWhileItCreates() throws IOException {
    Tables tables = new Tables(1, Pause.NONE);
    for (int i = 0; i < 40; i++) {
      tables.cache.load(tables.counts, i);
    }
    tables.cache.locked(
        hold -> {
          Slice root = present(hold.slice(tables.root, 0));
          Slice counts = present(hold.slice(tables.counts, 0));
          for (int i = 0; i < 40; i++) {
            hold.create(tables.entries, i, 300_000 + 4096L * i);
            hold.set(root, i, 300_000 + 4096L * i);
          }
          hold.set(counts, 0, 7);
          return null;
        });
    assertEquals(7, present(tables.cache.peek(tables.counts, 0)).word(0));
  }

  @Test
  void bodyRunsAgainUntilItsSlicesAreThere() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    tables.place(2, 16_384);
    AtomicInteger runs = new AtomicInteger();
    long word =
        tables.cache.locked(
            hold -> {
              runs.incrementAndGet();
              return present(hold.slice(tables.entries, 2)).word(0)
                  + present(hold.slice(tables.counts, 0)).word(0);
            });
    assertEquals(0, word);
    assertEquals(4, runs.get(), "root, entries and counts were missing, one after another");
  }

  @Test
  void changeBeforeALookupThatMissesIsCaught() {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    assertThrows(
        AssertionError.class,
        () ->
            tables.cache.locked(
                hold -> {
                  Slice counts = hold.slice(tables.counts, 0);
                  hold.set(present(counts), 0, 1);
                  return hold.slice(tables.counts, 1);
                }));
  }

  @Test
  void failedReadWakesWhoWaitsAndIsTriedAgain() throws Exception {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch fail = new CountDownLatch(1);
    AtomicBoolean first = new AtomicBoolean(true);
    tables.disk.before =
        line -> {
          if (line.startsWith("read") && first.getAndSet(false)) {
            reading.countDown();
            await(fail);
            throw new IllegalStateException("planned");
          }
        };
    CompletableFuture<Throwable> failed =
        CompletableFuture.supplyAsync(
            () -> assertThrows(IOException.class, () -> tables.cache.load(tables.counts, 0)));
    await(reading);
    CompletableFuture<Slice> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return present(tables.cache.load(tables.counts, 0));
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    fail.countDown();
    assertEquals("planned: read 65536+4096", failed.get().getMessage());
    assertEquals(0, waiting.get().word(0));
  }

  /** Guards: the version around two words that mean something only together. */
  @Test
  void pairIsSeenTogetherOrNotAtAll() throws Exception {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    Slice slice = present(tables.cache.load(tables.counts, 0));
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              for (long i = 1; i <= 200_000; i++) {
                setPair(tables, slice, i);
              }
            });
    long torn = 0;
    while (!writer.isDone()) {
      int before = slice.version();
      long first = slice.word(0);
      long second = slice.word(300);
      if (slice.isUnchanged(before) && first != second) {
        torn++;
      }
    }
    writer.get();
    assertEquals(0, torn);
  }

  @Test
  void clearForgetsCleanSlicesAndRefusesDirtyOnes() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    set(tables, tables.counts, 0, 0, 1);
    assertThrows(IllegalStateException.class, tables.cache::clear);
    tables.writeBack.run();
    tables.cache.clear();
    assertNull(tables.cache.peek(tables.counts, 0));
    assertEquals(0, tables.cache.budget().used());
    assertEquals(1, present(tables.cache.load(tables.counts, 0)).word(0));
  }

  @Test
  void abandonForgetsChanges() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    set(tables, tables.counts, 0, 0, 1);
    tables.cache.abandon();
    assertEquals(0, present(tables.cache.load(tables.counts, 0)).word(0));
  }

  @Test
  void removedSliceIsForgottenWithItsChangesAndCanBeMadeAnew() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    createEntries(tables, 300_000, 1);
    long used = tables.cache.budget().used();
    Slice gone =
        tables.cache.locked(
            hold -> {
              Slice root = present(hold.slice(tables.root, 0));
              Slice entries = present(hold.slice(tables.entries, 0));
              hold.remove(entries);
              hold.set(root, 0, 0);
              return entries;
            });
    assertNull(tables.cache.load(tables.entries, 0));
    assertEquals(used - 4096, tables.cache.budget().used());
    tables.writeBack.run();
    assertEquals(0, tables.disk.word(300_000), "a table that is gone was written");
    createEntries(tables, 304_096, 2);
    tables.writeBack.run();
    assertEquals(2, tables.disk.word(304_096));
    assertThrows(
        IllegalStateException.class,
        () ->
            tables.cache.locked(
                hold -> {
                  hold.set(gone, 0, 3);
                  return null;
                }));
  }

  private static void createEntries(Tables tables, long position, long value) throws IOException {
    tables.cache.locked(
        hold -> {
          Slice root = present(hold.slice(tables.root, 0));
          Slice entries = hold.create(tables.entries, 0, position);
          hold.set(root, 0, position);
          hold.set(entries, 0, value);
          return null;
        });
  }

  @Test
  void entriesOfFourBytesLieWhereTheByteOrderSays() throws IOException {
    Tables tables = new Tables(AMPLE, Pause.NONE);
    Slice slice =
        tables.cache.locked(
            hold -> {
              Slice counts = present(hold.slice(tables.counts, 0));
              hold.setU32(counts, 0, 0x1111_1111L);
              hold.setU32(counts, 1, 0xffff_fffeL);
              return counts;
            });
    assertEquals(0x1111_1111_ffff_fffeL, slice.word(0));
    assertEquals(0xffff_fffeL, slice.u32(1));
  }

  private static void setPair(Tables tables, Slice slice, long value) {
    try {
      tables.cache.locked(
          hold -> {
            hold.setPair(slice, 0, value, 300, value);
            return null;
          });
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static Slice set(Tables tables, TableKind kind, long index, int word, long value)
      throws IOException {
    return tables.cache.locked(
        hold -> {
          Slice slice = present(hold.slice(kind, index));
          hold.set(slice, word, value);
          return slice;
        });
  }

  static <T> T present(@org.jspecify.annotations.Nullable T value) {
    assertNotNull(value);
    return value;
  }

  static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
