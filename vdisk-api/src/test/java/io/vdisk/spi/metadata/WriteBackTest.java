package io.vdisk.spi.metadata;

import static io.vdisk.spi.metadata.TableCacheTest.await;
import static io.vdisk.spi.metadata.TableCacheTest.present;
import static io.vdisk.spi.metadata.TableCacheTest.set;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WriteBackTest {
  private static final long AMPLE = 1 << 20;

  private final AtomicReference<Pause> pause = new AtomicReference<>(Pause.NONE);
  private final Tables tables = new Tables(AMPLE, point -> pause.get().at(point));

  @Test
  void nothingToWriteCostsNothing() throws IOException {
    tables.writeBack.run();
    assertEquals(List.of(), tables.disk.changes());
  }

  @Test
  void dataInPlaceCostsOneHostFlush() throws IOException {
    writeData();
    tables.writeBack.run();
    assertEquals(List.of("write 500000+8", "flush"), tables.disk.changes());
  }

  @Test
  void stagesAreDurableInTheirOrder() throws IOException {
    createEntries(0, 300_000);
    set(tables, tables.counts, 0, 0, 1);
    tables.disk.changes();
    tables.writeBack.run();
    assertEquals(
        List.of(
            "write 65536+4096", "flush", "write 300000+4096", "flush", "write 8192+512", "flush"),
        tables.disk.changes());
  }

  /** Guards: the flush of guest data before the exposing stage when all stages before are empty. */
  @Test
  void dataIsDurableBeforeTheExposingStageThoughNothingComesBefore() throws IOException {
    tables.place(0, 300_000);
    writeData();
    set(tables, tables.entries, 0, 0, 1);
    tables.writeBack.run();
    assertEquals(
        List.of("write 500000+8", "flush", "write 300000+4096", "flush"), tables.disk.changes());
  }

  @Test
  void dataSharesTheFlushOfTheStageBeforeTheExposingOne() throws IOException {
    tables.place(0, 300_000);
    writeData();
    set(tables, tables.counts, 0, 0, 1);
    set(tables, tables.entries, 0, 0, 1);
    tables.writeBack.run();
    assertEquals(
        List.of("write 500000+8", "write 65536+4096", "flush", "write 300000+4096", "flush"),
        tables.disk.changes());
  }

  /** Guards: all stages are copied at one instant. */
  @Test
  void imagesAreOfOneInstant() throws IOException {
    tables.place(0, 300_000);
    set(tables, tables.counts, 0, 0, 1);
    set(tables, tables.entries, 0, 0, 1);
    at(
        "instant",
        () -> {
          set(tables, tables.counts, 0, 1, 1);
          set(tables, tables.entries, 0, 1, 1);
        });
    tables.writeBack.run();
    assertEquals(1, tables.disk.word(65_536));
    assertEquals(0, tables.disk.word(65_536 + 8));
    assertEquals(0, tables.disk.word(300_000 + 8), "named a cluster that is not counted");
    tables.writeBack.run();
    assertEquals(1, tables.disk.word(65_536 + 8));
    assertEquals(1, tables.disk.word(300_000 + 8));
  }

  /** Guards: the images of later stages are not copied when their turn comes. */
  @Test
  void changeBetweenStagesIsLeftToTheNextWriteBack() throws IOException {
    tables.place(0, 300_000);
    set(tables, tables.counts, 0, 0, 1);
    set(tables, tables.entries, 0, 0, 1);
    at("stage", () -> set(tables, tables.entries, 0, 1, 1));
    tables.writeBack.run();
    assertEquals(0, tables.disk.word(300_000 + 8));
    tables.writeBack.run();
    assertEquals(1, tables.disk.word(300_000 + 8));
  }

  /** Guards: the batch is sealed at the instant, not at the end. */
  @Test
  void spaceFreedDuringAWriteBackIsOfTheNextBatch() throws IOException {
    add(1000);
    at("instant", () -> add(2000));
    tables.writeBack.run();
    assertEquals(1, tables.writeBack.durableBatch());
    assertEquals(List.of(new Quarantine.Entry(1000, 1, 1)), take(1));
    tables.writeBack.run();
    assertEquals(2, tables.writeBack.durableBatch());
    assertEquals(List.of(new Quarantine.Entry(2000, 1, 2)), take(2));
  }

  @Test
  void failedWriteLeavesEverythingDirtyAndTheBatchUndurable() throws IOException {
    set(tables, tables.counts, 0, 0, 1);
    add(1000);
    tables.disk.before = failing("write");
    assertThrows(IOException.class, tables.writeBack::run);
    assertEquals(0, tables.writeBack.durableBatch());
    tables.disk.before = line -> {};
    tables.writeBack.run();
    assertEquals(1, tables.disk.word(65_536));
    assertEquals(1, tables.writeBack.durableBatch());
  }

  /** Guards: no write-back succeeds after a failed host flush. */
  @Test
  void failedFlushIsFinal() throws IOException {
    set(tables, tables.counts, 0, 0, 1);
    tables.disk.before = failing("flush");
    assertThrows(HostFlushException.class, tables.writeBack::run);
    tables.disk.before = line -> {};
    assertThrows(HostFlushException.class, tables.writeBack::run);
    assertThrows(HostFlushException.class, () -> tables.writeBack.reserve(1));
    assertEquals(0, tables.writeBack.durableBatch());
  }

  /** Guards: a slice is clean only if nothing changed it since the instant. */
  @Test
  void sliceChangedWhileItsImageIsUnderWayStaysDirty() throws IOException {
    set(tables, tables.counts, 0, 0, 1);
    at("instant", () -> set(tables, tables.counts, 0, 0, 2));
    tables.writeBack.run();
    assertEquals(1, tables.disk.word(65_536));
    tables.writeBack.run();
    assertEquals(2, tables.disk.word(65_536));
  }

  /** Guards: clean only when the stage's flush has returned. */
  @Test
  void sliceWhoseFlushFailedIsNotEvictable() throws IOException {
    Slice slice = set(tables, tables.counts, 0, 0, 1);
    tables.disk.before = failing("flush");
    assertThrows(HostFlushException.class, tables.writeBack::run);
    assertTrue(slice.isDirty());
  }

  /** Guards: a table is exposing from the moment an image that names it was handed to the host. */
  @Test
  void tableIsExposingOnceItsNameWasHandedOver() throws IOException {
    Slice entries = createEntries(0, 300_000);
    assertEquals(Tables.Stage.ENTRIES, entries.stage());
    tables.disk.before =
        line -> {
          if (line.equals("write 8192+512")) {
            throw new IllegalStateException();
          }
        };
    assertThrows(IOException.class, tables.writeBack::run);
    assertEquals(Tables.Stage.ROOT, entries.stage());
  }

  @Test
  void tableStaysUnnamedIfItsOwnImageFailed() throws IOException {
    Slice entries = createEntries(0, 300_000);
    tables.disk.before = failing("write 300000");
    assertThrows(IOException.class, tables.writeBack::run);
    assertEquals(Tables.Stage.ENTRIES, entries.stage());
  }

  @Test
  void tableMadeAfterTheInstantStaysUnnamed() throws IOException {
    createEntries(0, 300_000);
    AtomicReference<Slice> late = new AtomicReference<>();
    at("instant", () -> late.set(createEntries(1, 304_096)));
    tables.writeBack.run();
    assertEquals(Tables.Stage.ENTRIES, late.get().stage());
    tables.writeBack.run();
    assertEquals(Tables.Stage.ROOT, late.get().stage());
  }

  @Test
  void neighboursAreWrittenTogether() throws IOException {
    set(tables, tables.counts, 2, 0, 1);
    set(tables, tables.counts, 0, 0, 1);
    set(tables, tables.counts, 1, 0, 1);
    set(tables, tables.counts, 9, 0, 1);
    tables.writeBack.run();
    assertEquals(List.of("write 65536+12288", "write 102400+4096", "flush"), tables.disk.changes());
  }

  @Test
  void whoComesDuringAWriteBackSharesTheNextOne() throws Exception {
    set(tables, tables.counts, 0, 0, 1);
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    at(
        "instant",
        () -> {
          reached.countDown();
          await(go);
        });
    List<CompletableFuture<Void>> runs = new ArrayList<>();
    runs.add(run());
    await(reached);
    set(tables, tables.counts, 1, 0, 1);
    runs.add(run());
    runs.add(run());
    go.countDown();
    for (CompletableFuture<Void> run : runs) {
      run.get();
    }
    assertEquals(1, tables.disk.word(65_536 + 4096));
    List<String> changes = tables.disk.changes();
    assertEquals(List.of("write 65536+4096", "flush", "write 69632+4096", "flush"), changes);
  }

  @Test
  void reservationBeyondTheCapacityWritesBackFirst() throws IOException {
    for (int i = 0; i < 64; i++) {
      tables.writeBack.reserve(1);
      set(tables, tables.counts, i, 0, 1);
      tables.writeBack.release(1);
    }
    tables.writeBack.reserve(60);
    assertFalse(tables.disk.changes().isEmpty());
    tables.writeBack.release(60);
  }

  /** Guards: what allocations under way may dirty counts as if it were. */
  @Test
  void reservationsOfOthersCountAgainstTheCapacity() throws IOException {
    tables.writeBack.reserve(80);
    set(tables, tables.counts, 0, 0, 1);
    tables.writeBack.reserve(5);
    assertEquals(List.of("write 65536+4096", "flush"), tables.disk.changes());
  }

  @Test
  void reservationWaitsForOthersToGiveTheirsBack() throws Exception {
    tables.writeBack.reserve(80);
    FutureTask<Boolean> second =
        new FutureTask<>(
            () -> {
              tables.writeBack.reserve(80);
              return true;
            });
    Thread thread = new Thread(second);
    thread.start();
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
    assertFalse(second.isDone());
    tables.writeBack.release(80);
    assertTrue(second.get());
  }

  @Test
  void journalIsDurableBeforeItsImagesAndSettledAfterThem() throws IOException {
    Journalled image = new Journalled(20);
    image.tables.disk.write(ByteBuffer.allocate(8), 500_000);
    image.tables.place(0, 300_000);
    set(image.tables, image.tables.entries, 0, 0, 1);
    image.tables.writeBack.run();
    assertEquals(
        List.of("write 500000+8", "flush", "record 1", "write 300000+4096", "flush", "settled"),
        image.log);
  }

  /** Guards: a journal never gets more slices than one entry holds. */
  @Test
  void journalGetsNoMoreThanItsCapacity() throws IOException {
    Journalled image = new Journalled(3);
    for (int i = 0; i < 8; i++) {
      image.tables.writeBack.reserve(1);
      set(image.tables, image.tables.counts, i, 0, 1);
      image.tables.writeBack.release(1);
    }
    image.tables.writeBack.run();
    image.log.removeIf(line -> !line.startsWith("record"));
    assertEquals(List.of("record 3", "record 3", "record 2"), image.log);
  }

  /** Guards: a journal flushes, too, and its failed flush is as final as any other. */
  @Test
  void failedFlushOfTheJournalIsFinal() throws IOException {
    Journalled image = new Journalled(3);
    set(image.tables, image.tables.counts, 0, 0, 1);
    image.failure = new HostFlushException("log", new IOException());
    assertThrows(HostFlushException.class, image.tables.writeBack::run);
    image.failure = null;
    assertThrows(HostFlushException.class, image.tables.writeBack::run);
  }

  /** Guards: what an entry of the journal names is named, also where the journal then failed. */
  @Test
  void tableIsExposingOnceItsNameIsInTheJournal() throws IOException {
    Journalled image = new Journalled(3);
    Slice entries = createEntries(image.tables, 0, 300_000);
    image.failAt = 2; // the stage of the root
    image.failure = new IOException("after the entry was written");
    assertThrows(IOException.class, image.tables.writeBack::run);
    assertEquals(Tables.Stage.ROOT, entries.stage());
  }

  @Test
  void reservationThatNoEntryOfTheJournalCanHoldIsRefused() {
    Journalled image = new Journalled(3);
    assertThrows(IllegalArgumentException.class, () -> image.tables.writeBack.reserve(4));
  }

  /** Tables with a journal that tells what happens, together with their disk. */
  private static final class Journalled implements Journal {
    final Tables tables;
    final List<String> log = new ArrayList<>();
    private final int capacity;
    @Nullable IOException failure;
    int failAt = 1;
    private int records;

    Journalled(int capacity) {
      this.capacity = capacity;
      this.tables = new Tables(AMPLE, Pause.NONE, this);
    }

    @Override
    public int capacity() {
      return capacity;
    }

    @Override
    public void record(List<Slice.Image> images) throws IOException {
      log.addAll(tables.disk.changes());
      log.add("record " + images.size());
      if (++records == failAt && failure != null) {
        throw failure;
      }
    }

    @Override
    public void settled() {
      log.addAll(tables.disk.changes());
      log.add("settled");
    }
  }

  /** What a test does at a pause; once. */
  @FunctionalInterface
  private interface Act {
    void run() throws IOException;
  }

  private void at(String point, Act act) {
    pause.set(
        reached -> {
          if (reached.equals(point)) {
            pause.set(Pause.NONE);
            try {
              act.run();
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          }
        });
  }

  private CompletableFuture<Void> run() {
    return CompletableFuture.runAsync(
        () -> {
          try {
            tables.writeBack.run();
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private Slice createEntries(int index, long position) throws IOException {
    return createEntries(tables, index, position);
  }

  private static Slice createEntries(Tables tables, int index, long position) throws IOException {
    return tables.cache.locked(
        hold -> {
          Slice root = present(hold.slice(tables.root, 0));
          Slice created = hold.create(tables.entries, index, position, root);
          hold.set(root, index, position);
          return created;
        });
  }

  private void writeData() throws IOException {
    tables.disk.write(ByteBuffer.allocate(8), 500_000);
  }

  private void add(long offset) throws IOException {
    tables.cache.locked(
        hold -> {
          tables.quarantine.add(offset, 1);
          return null;
        });
  }

  private List<Quarantine.Entry> take(long batch) throws IOException {
    return tables.cache.locked(hold -> tables.quarantine.take(batch));
  }

  private static java.util.function.Consumer<String> failing(String prefix) {
    return line -> {
      if (line.startsWith(prefix)) {
        throw new IllegalStateException("planned");
      }
    };
  }
}
