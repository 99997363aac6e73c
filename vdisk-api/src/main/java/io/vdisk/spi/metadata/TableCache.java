package io.vdisk.spi.metadata;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The slices of one image's tables that are in memory. Thread-safe; every call happens inside a
 * slot of the engine's gate.
 *
 * <p>It keeps:
 *
 * <ol>
 *   <li>A hit takes no lock: two array reads.
 *   <li>A slice's host position is found under the metadata lock, from the parent's word, never
 *       from one read earlier; whoever changes a slice looks it up again under that lock.
 *   <li>Nobody waits for a slice being loaded, for a write-back or for I/O while holding the lock.
 *   <li>A dirty slice is in memory: only clean ones are evicted.
 * </ol>
 */
public final class TableCache {
  private static final int CHUNK = 512;

  /** What a cache keeps whatever the others of its budget use: a few parents and their children. */
  private static final int FLOOR = 32;

  /** Slices that are read at once where a table is walked through: all of a usual L2 table. */
  private static final int AHEAD = 16;

  private final CacheBudget budget;
  private final Pause pause;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition loaded = lock.newCondition();
  private final Hold hold = new Hold();

  // Under the lock:
  private final ArrayDeque<Slice> clock = new ArrayDeque<>();
  private final Set<Slice> dirty = new LinkedHashSet<>();

  /** The last of the slices that were read last. */
  private @Nullable Slice lastRead;

  /** An empty cache. */
  public TableCache(CacheBudget budget) {
    this(budget, Pause.NONE);
  }

  TableCache(CacheBudget budget, Pause pause) {
    this.budget = budget;
    this.pause = pause;
  }

  /** What is done in one hold of the metadata lock. */
  @FunctionalInterface
  public interface Body<T extends @Nullable Object> {
    /**
     * Looks up every slice it needs, then changes words. No I/O, no waiting. If a slice is not in
     * memory, {@code hold.slice} ends the body, and it runs again from the beginning once the slice
     * is there: so nothing may be changed before everything was looked up.
     */
    T run(Hold hold) throws IOException;
  }

  /** Makes a kind of table known; before the first other call. */
  public <K extends TableKind> K add(K kind) {
    int chunks = Math.toIntExact((kind.slices() + CHUNK - 1) / CHUNK);
    kind.attach(new AtomicReferenceArray<>(chunks));
    return kind;
  }

  /** A slice, if it is in memory. No lock. */
  public @Nullable Slice peek(TableKind kind, long index) {
    AtomicReferenceArray<@Nullable Slice> chunk = kind.map().get((int) (index / CHUNK));
    Slice slice = chunk == null ? null : chunk.getAcquire((int) (index % CHUNK));
    if (slice == null || slice == kind.loading()) {
      return null;
    }
    slice.touch();
    return slice;
  }

  /**
   * A slice, loaded if need be.
   *
   * @return null if its table does not exist
   */
  public @Nullable Slice load(TableKind kind, long index) throws IOException {
    assert !lock.isHeldByCurrentThread();
    while (true) {
      Slice slice = peek(kind, index);
      if (slice != null) {
        return slice;
      }
      pause.at("miss");
      Missing parent = null;
      long position = 0;
      int count = 0;
      boolean isNew = false;
      lock.lock();
      try {
        slice = slot(kind, index);
        if (slice == kind.loading()) {
          loaded.awaitUninterruptibly();
          continue;
        }
        if (slice != null) {
          return slice;
        }
        position = kind.position(hold, index);
        if (position == 0) {
          return null;
        }
        count = mark(kind, index, position);
        isNew = kind.isNew(index);
      } catch (Missing missing) {
        parent = missing;
      } finally {
        lock.unlock();
      }
      if (parent == null) {
        slice = read(kind, index, position, count, isNew);
        if (slice != null) {
          return slice;
        }
      } else {
        load(parent.kind, parent.index);
      }
    }
  }

  /**
   * Marks a slice as being loaded; where the one before it was read last, also those that lie
   * behind it and are not in memory. How many these are.
   */
  private int mark(TableKind kind, long index, long position) throws IOException {
    Slice before = lastRead;
    boolean isWalk = before != null && before.kind().equals(kind) && before.index() == index - 1;
    long end = isWalk ? Math.min(kind.slices(), index + AHEAD) : index + 1;
    int count = 0;
    long expected = position;
    while (index + count < end && (count == 0 || isBehind(kind, index + count, expected))) {
      setSlot(kind, index + count, kind.loading());
      expected += kind.sliceBytes(index + count);
      count++;
    }
    return count;
  }

  private boolean isBehind(TableKind kind, long index, long expected) throws IOException {
    try {
      return slot(kind, index) == null && kind.position(hold, index) == expected;
    } catch (Missing | CorruptImageException e) {
      return false; // not now; who asks for that slice will see
    }
  }

  /**
   * Reads marked slices. Null if that failed with several: the first is then to be read alone.
   *
   * @param isNew whether the first may lie past the end of the file, and is zero there
   */
  private @Nullable Slice read(TableKind kind, long index, long position, int count, boolean isNew)
      throws IOException {
    List<Slice> slices = new ArrayList<>(count);
    long end = position;
    for (int i = 0; i < count; i++) {
      Slice slice = new Slice(kind, index + i, end, kind.stage());
      slices.add(slice);
      end += slice.bytes();
    }
    int complete = 0;
    try {
      ByteBuffer bytes = ByteBuffer.allocate((int) (end - position));
      kind.file().read(bytes, position);
      bytes.flip();
      if (isNew) {
        bytes.limit(Math.max(bytes.limit(), slices.get(0).bytes()));
      }
      while (complete < count && bytes.remaining() >= slices.get(complete).bytes()) {
        Slice slice = slices.get(complete++);
        int from = bytes.position();
        slice.fill(bytes.slice(from, slice.bytes()));
        bytes.position(from + slice.bytes());
      }
    } catch (IOException e) {
      if (count == 1) {
        throw e;
      }
    } finally {
      publish(slices, complete);
    }
    if (complete > 0) {
      return slices.get(0);
    }
    if (count > 1) {
      return null;
    }
    throw new CorruptImageException(
        kind.file().name() + ": " + kind.name() + " at " + position + " is past the end");
  }

  /**
   * Puts the first {@code complete} of them into the places of their marks, and clears the rest.
   */
  private void publish(List<Slice> slices, int complete) {
    lock.lock();
    try {
      lastRead = complete == 0 ? null : slices.get(complete - 1);
      for (int i = 0; i < slices.size(); i++) {
        Slice slice = slices.get(i);
        setSlot(slice.kind(), slice.index(), i < complete ? slice : null);
        if (i < complete) {
          keep(slice);
        }
      }
      evict();
      loaded.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Runs {@code body} under the metadata lock, with every slice that it asks for in memory. */
  public <T extends @Nullable Object> T locked(Body<T> body) throws IOException {
    assert !lock.isHeldByCurrentThread();
    while (true) {
      Missing missing;
      lock.lock();
      try {
        return body.run(hold);
      } catch (Missing m) {
        assert !hold.changed : "a slice was changed before " + m.kind.name() + " was looked up";
        missing = m;
      } finally {
        hold.changed = false;
        evict();
        lock.unlock();
      }
      load(missing.kind, missing.index);
    }
  }

  /** Forgets all slices; nothing may be dirty, and no request in progress. */
  public void clear() {
    lock.lock();
    try {
      lastRead = null;
      if (!dirty.isEmpty()) {
        throw new IllegalStateException(dirty.size() + " dirty slices");
      }
      for (Slice slice; (slice = clock.poll()) != null; ) {
        setSlot(slice.kind(), slice.index(), null);
        budget.add(-slice.bytes());
      }
    } finally {
      lock.unlock();
    }
  }

  /** Forgets all slices, dirty ones too: the image is given up. */
  public void abandon() {
    lock.lock();
    try {
      dirty.forEach(slice -> slice.setDirty(false));
      dirty.clear();
    } finally {
      lock.unlock();
    }
    clear();
  }

  ReentrantLock lock() {
    return lock;
  }

  CacheBudget budget() {
    return budget;
  }

  Set<Slice> dirty() {
    assert lock.isHeldByCurrentThread();
    return dirty;
  }

  Hold hold() {
    assert lock.isHeldByCurrentThread();
    return hold;
  }

  private @Nullable Slice slot(TableKind kind, long index) {
    AtomicReferenceArray<@Nullable Slice> chunk = kind.map().get((int) (index / CHUNK));
    return chunk == null ? null : chunk.get((int) (index % CHUNK));
  }

  private void setSlot(TableKind kind, long index, @Nullable Slice slice) {
    int at = (int) (index / CHUNK);
    AtomicReferenceArray<@Nullable Slice> chunk = kind.map().get(at);
    if (chunk == null) {
      chunk = new AtomicReferenceArray<>((int) Math.min(CHUNK, kind.slices() - (long) at * CHUNK));
      kind.map().setRelease(at, chunk);
    }
    chunk.setRelease((int) (index % CHUNK), slice);
  }

  private void keep(Slice slice) {
    clock.add(slice);
    budget.add(slice.bytes());
    slice.touch();
  }

  /**
   * Lets clean slices go while the budget is exceeded. Never inside a body, which would go on to
   * change a slice that is no longer in memory.
   */
  private void evict() {
    // Twice round at most: the first turn may only clear the marks of use.
    int left = 2 * clock.size();
    while (left-- > 0 && clock.size() > FLOOR && budget.isExceeded()) {
      Slice victim = clock.remove();
      if (victim.isDirty() || victim.takeReferenced()) {
        clock.add(victim);
      } else {
        setSlot(victim.kind(), victim.index(), null);
        budget.add(-victim.bytes());
      }
    }
  }

  /** One hold of the metadata lock. Valid inside {@link Body#run} only. */
  public final class Hold {
    private boolean changed;

    private Hold() {}

    /**
     * A slice that is in memory.
     *
     * @return null if its table does not exist
     */
    public @Nullable Slice slice(TableKind kind, long index) throws IOException {
      Slice slice = slot(kind, index);
      if (slice != null && slice != kind.loading()) {
        slice.touch();
        assert isInPlace(slice);
        return slice;
      }
      if (slice == null && kind.position(this, index) == 0) {
        return null;
      }
      throw new Missing(kind, index);
    }

    /** Changes one word. */
    public void set(Slice slice, int i, long value) {
      markDirty(slice);
      slice.store(i, value);
    }

    /** Changes one entry of four bytes. */
    public void setU32(Slice slice, int i, long value) {
      markDirty(slice);
      slice.store32(i, value);
    }

    /** Changes two words that readers see together or not at all. */
    public void setPair(Slice slice, int i, long first, int j, long second) {
      markDirty(slice);
      slice.storePair(i, first, j, second);
    }

    /**
     * A slice of a table that did not exist: zero, and written in its kind's stage. The word that
     * names it is set in the same hold.
     */
    public Slice create(TableKind kind, long index, long position) {
      return create(kind, index, position, null);
    }

    /**
     * The same, written in the earlier stage of its kind until an image of {@code parent} with the
     * word that names it was handed to the host.
     */
    public Slice create(TableKind kind, long index, long position, @Nullable Slice parent) {
      assert lock.isHeldByCurrentThread();
      if (slot(kind, index) != null) {
        throw new IllegalStateException(kind.name() + " slice " + index + " exists");
      }
      Enum<?> stage = parent == null ? kind.stage() : kind.newStage();
      Slice slice = new Slice(kind, index, position, stage);
      setSlot(kind, index, slice);
      keep(slice);
      markDirty(slice);
      if (parent != null) {
        parent.awaitNamingOf(slice);
      }
      return slice;
    }

    /** The slice lies elsewhere from now on, and is written there. */
    public void move(Slice slice, long position) {
      markDirty(slice);
      slice.moveTo(position);
    }

    /**
     * Forgets a slice whose table is gone, changed or not. The word that named it changes in the
     * same hold. An image of it that is under way is still written: its place waits in the
     * quarantine.
     */
    public void remove(Slice slice) {
      checkInMemory(slice);
      changed = true;
      setSlot(slice.kind(), slice.index(), null);
      clock.remove(slice);
      budget.add(-slice.bytes());
      slice.setDirty(false);
      dirty.remove(slice);
    }

    private void checkInMemory(Slice slice) {
      assert lock.isHeldByCurrentThread();
      if (slot(slice.kind(), slice.index()) != slice) {
        throw new IllegalStateException(slice.kind().name() + " slice is not in memory");
      }
    }

    private void markDirty(Slice slice) {
      checkInMemory(slice);
      changed = true;
      slice.countChange();
      if (!slice.isDirty()) {
        slice.setDirty(true);
        dirty.add(slice);
      }
    }

    /** A hit elsewhere than where its parent says is corruption in memory. */
    private boolean isInPlace(Slice slice) throws IOException {
      if (changed) {
        return true;
      }
      try {
        return slice.kind().position(this, slice.index()) == slice.position();
      } catch (Missing parent) {
        return true;
      }
    }
  }

  /** Ends a body whose slice is not in memory. Carries no stack: it is part of normal service. */
  private static final class Missing extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient TableKind kind;
    private final long index;

    Missing(TableKind kind, long index) {
      super(null, null, false, false);
      this.kind = kind;
      this.index = index;
    }
  }
}
