package io.vdisk.spi.metadata;

import io.vdisk.file.HostFile;
import io.vdisk.file.HostFlushException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes an image's changed tables back, in the order of its format's stages: the constants of
 * {@code S}, each durable before the next begins. Thread-safe.
 *
 * <p>It keeps:
 *
 * <ol>
 *   <li>All images of one write-back are copied at one instant, and the quarantine's batch is
 *       sealed there: stage by stage, a later copy would name what the earlier stages do not count.
 *   <li>Guest data is durable before the first stage that exposes it, also when every stage before
 *       is empty.
 *   <li>A slice is clean only when its stage's flush has returned and nothing changed it since.
 *   <li>After a failed host flush no write-back succeeds again.
 * </ol>
 */
public final class WriteBack<S extends Enum<S>> {
  private static final int MAX_RUN = 1 << 20;

  private final S[] stages;
  private final S exposing;
  private final TableCache cache;
  private final Quarantine quarantine;
  private final Collection<? extends HostFile> dataFiles;
  private final @Nullable Journal journal;
  private final Pause pause;
  private final int capacity;

  /** One write-back at a time; who comes meanwhile shares the next. */
  private final ReentrantLock turn = new ReentrantLock();

  private volatile long started;
  private volatile long durableBatch;
  private volatile @Nullable HostFlushException failure;

  /** The last write-back that succeeded; under the turn. */
  private long completed;

  /** Slices that allocations under way may dirty; under the metadata lock. */
  private int reserved;

  private final Condition room;

  /**
   * A write-back without a journal.
   *
   * @param stages the format's stages, in the order of durability
   * @param exposing the first stage that exposes guest data
   * @param dataFiles every file that guest data is written to
   */
  public WriteBack(
      Class<S> stages,
      S exposing,
      TableCache cache,
      Quarantine quarantine,
      Collection<? extends HostFile> dataFiles) {
    this(stages, exposing, cache, quarantine, dataFiles, null, Pause.NONE);
  }

  /** A write-back through {@code journal}. */
  public WriteBack(
      Class<S> stages,
      S exposing,
      TableCache cache,
      Quarantine quarantine,
      Collection<? extends HostFile> dataFiles,
      Journal journal) {
    this(stages, exposing, cache, quarantine, dataFiles, journal, Pause.NONE);
  }

  WriteBack(
      Class<S> stages,
      S exposing,
      TableCache cache,
      Quarantine quarantine,
      Collection<? extends HostFile> dataFiles,
      @Nullable Journal journal,
      Pause pause) {
    this.stages = stages.getEnumConstants();
    this.exposing = exposing;
    this.cache = cache;
    this.quarantine = quarantine;
    this.dataFiles = dataFiles;
    this.journal = journal;
    this.pause = pause;
    long third = cache.budget().limit() / 3 / TableKind.MAX_SLICE;
    this.capacity =
        journal != null ? journal.capacity() : (int) Math.min(Math.max(16, third), 1 << 20);
    this.room = cache.lock().newCondition();
  }

  /**
   * Makes everything that was changed and written before the call durable. Called without the
   * metadata lock.
   */
  public void run() throws IOException {
    long needed = started + 1;
    turn.lock();
    try {
      checkHealthy();
      if (completed >= needed) {
        return;
      }
      long mine = started + 1;
      started = mine;
      writeAll();
      completed = mine;
    } catch (HostFlushException e) {
      failure = e;
      throw e;
    } finally {
      turn.unlock();
    }
  }

  /** The last sealed batch of the quarantine whose references are durably gone. */
  public long durableBatch() {
    return durableBatch;
  }

  /**
   * Makes sure that {@code slices} more can become dirty; writes back first if need be. Called
   * without the metadata lock, before an allocation looks at any table. Paired with {@link
   * #release}.
   *
   * @throws IllegalArgumentException if no entry of the journal can hold so many
   */
  public void reserve(int slices) throws IOException {
    if (journal != null && slices > capacity) {
      throw new IllegalArgumentException(slices + " slices, the journal holds " + capacity);
    }
    while (true) {
      checkHealthy();
      ReentrantLock lock = cache.lock();
      lock.lock();
      try {
        int used = cache.dirty().size() + reserved;
        if (used == 0 || used + slices <= capacity) {
          reserved += slices;
          return;
        }
        if (cache.dirty().isEmpty()) {
          room.awaitUninterruptibly();
          continue;
        }
      } finally {
        lock.unlock();
      }
      run();
    }
  }

  /** Gives a reservation back, used or not. */
  public void release(int slices) {
    ReentrantLock lock = cache.lock();
    lock.lock();
    try {
      reserved -= slices;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void checkHealthy() throws IOException {
    HostFlushException failed = failure;
    if (failed != null) {
      throw new HostFlushException("an earlier host flush failed: " + failed.getMessage(), failed);
    }
  }

  private void writeAll() throws IOException {
    List<Slice.Image> images = new ArrayList<>();
    long sealed;
    long bytes = 0;
    ReentrantLock lock = cache.lock();
    lock.lock();
    try {
      for (Slice slice : cache.dirty()) {
        Slice.Image image = slice.image();
        bytes += image.length();
        images.add(image);
      }
      sealed = quarantine.seal();
    } finally {
      lock.unlock();
    }
    pause.at("instant");
    cache.budget().add(bytes);
    try {
      writeStages(images);
    } finally {
      cache.budget().add(-bytes);
    }
    durableBatch = sealed;
  }

  private void writeStages(List<Slice.Image> images) throws IOException {
    // What was flushed since the instant holds all data written before it.
    Set<HostFile> flushed = new LinkedHashSet<>();
    for (S stage : stages) {
      List<Slice.Image> due = new ArrayList<>();
      for (Slice.Image image : images) {
        if (image.stage == stage) {
          due.add(image);
        }
      }
      if (due.isEmpty()) {
        continue;
      }
      if (stage.compareTo(exposing) >= 0) {
        flushData(flushed);
      }
      writeStage(due, flushed);
      pause.at("stage");
    }
    flushData(flushed);
  }

  private void writeStage(List<Slice.Image> due, Set<HostFile> flushed) throws IOException {
    handOver(due);
    if (journal != null) {
      journal.record(due);
    }
    due.sort((a, b) -> Long.compare(a.position(), b.position()));
    Set<HostFile> files = new LinkedHashSet<>();
    due.forEach(image -> files.add(image.slice.kind().file()));
    for (HostFile file : files) {
      write(file, due);
    }
    for (HostFile file : files) {
      flush(file);
      flushed.add(file);
    }
    if (journal != null) {
      journal.settled();
    }
    clean(due);
  }

  /** From here on what these images name is on disk for readers, even if writing them fails. */
  private void handOver(List<Slice.Image> due) {
    ReentrantLock lock = cache.lock();
    lock.lock();
    try {
      for (Slice.Image image : due) {
        image.slice.named(image.names);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Writes the images that lie in {@code file}; neighbours together. */
  private static void write(HostFile file, List<Slice.Image> due) throws IOException {
    List<Slice.Image> run = new ArrayList<>();
    int length = 0;
    for (Slice.Image image : due) {
      if (!image.slice.kind().file().equals(file)) {
        continue;
      }
      if (!run.isEmpty()
          && (image.position() != run.get(0).position() + length
              || length + image.length() > MAX_RUN)) {
        writeRun(file, run, length);
        run.clear();
        length = 0;
      }
      run.add(image);
      length += image.length();
    }
    if (!run.isEmpty()) {
      writeRun(file, run, length);
    }
  }

  private static void writeRun(HostFile file, List<Slice.Image> run, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    run.forEach(image -> image.copyTo(bytes));
    file.write(bytes.flip(), run.get(0).position());
  }

  private void clean(List<Slice.Image> written) {
    ReentrantLock lock = cache.lock();
    lock.lock();
    try {
      for (Slice.Image image : written) {
        if (image.slice.isAt(image.change) && image.slice.isDirty()) {
          image.slice.setDirty(false);
          cache.dirty().remove(image.slice);
        }
      }
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void flushData(Set<HostFile> flushed) throws IOException {
    for (HostFile file : dataFiles) {
      if (flushed.add(file)) {
        flush(file);
      }
    }
  }

  private void flush(HostFile file) throws IOException {
    try {
      file.flush();
    } catch (HostFlushException e) {
      throw e;
    } catch (IOException e) {
      throw new HostFlushException("flush of " + file.name() + " failed", e);
    }
  }
}
