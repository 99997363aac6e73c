package io.vdisk.spi.metadata;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a table in memory, at most 4 KiB.
 *
 * <p>Words are read by any thread without a lock and changed only under the metadata lock, through
 * {@link TableCache.Hold}. A word is read once into a local: the next read may see another value. A
 * reader that kept a slice which was evicted meanwhile sees an old but once-true word; no reference
 * to a slice is kept beyond the request's slot.
 */
public final class Slice {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle VERSION;

  static {
    try {
      VERSION = MethodHandles.lookup().findVarHandle(Slice.class, "version", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final TableKind kind;
  private final long index;
  private final long[] words;

  /** Odd while words that mean something only together are being changed. */
  @SuppressWarnings("unused") // through VERSION
  private int version;

  /** Whether somebody used it since the clock passed; a race loses at most one turn. */
  private boolean referenced;

  // Under the metadata lock:
  private long position;
  private Enum<?> stage;
  private int changes;
  private boolean dirty;

  /** Slices that a word of this one names and no image of this one handed to the host does yet. */
  private @Nullable List<Slice> unnamed;

  Slice(TableKind kind, long index, long position, Enum<?> stage) {
    this.kind = kind;
    this.index = index;
    this.position = position;
    this.stage = stage;
    this.words = new long[kind.sliceBytes(index) / Long.BYTES];
  }

  /** Which piece of its table it is. */
  public long index() {
    return index;
  }

  /** Words of 8 bytes. */
  public int length() {
    return words.length;
  }

  /** One word, in the table's byte order. */
  public long word(int i) {
    return (long) WORDS.getAcquire(words, i);
  }

  /** One entry of four bytes, 0 to 2^32 - 1. */
  public long u32(int i) {
    return (word(i >>> 1) >>> shift32(i)) & 0xffff_ffffL;
  }

  /**
   * The version before words that mean something only together are read. Odd: they are being
   * changed, look under the metadata lock.
   */
  public int version() {
    return (int) VERSION.getAcquire(this);
  }

  /**
   * Whether words read since {@link #version} returned {@code before} belong together.
   *
   * <p>The fence keeps the reads of the words before this read of the version; together with the
   * writer's (version odd, release fence, words, version even by release) a reader that saw a new
   * word sees the odd version or a later one here. x86 orders loads and stores so by itself, so no
   * test there can show a missing fence.
   */
  public boolean isUnchanged(int before) {
    VarHandle.acquireFence();
    return (before & 1) == 0 && (int) VERSION.getOpaque(this) == before;
  }

  TableKind kind() {
    return kind;
  }

  int bytes() {
    return words.length * Long.BYTES;
  }

  void touch() {
    if (!referenced) {
      referenced = true;
    }
  }

  boolean takeReferenced() {
    boolean was = referenced;
    referenced = false;
    return was;
  }

  void store(int i, long value) {
    WORDS.setRelease(words, i, value);
  }

  void store32(int i, long value) {
    int shift = shift32(i);
    long old = words[i >>> 1];
    store(i >>> 1, (old & ~(0xffff_ffffL << shift)) | ((value & 0xffff_ffffL) << shift));
  }

  /** Stores two words that readers see together or not at all. */
  void storePair(int i, long first, int j, long second) {
    int before = (int) VERSION.getOpaque(this);
    VERSION.setOpaque(this, before + 1);
    VarHandle.releaseFence();
    WORDS.setOpaque(words, i, first);
    WORDS.setOpaque(words, j, second);
    VERSION.setRelease(this, before + 2);
  }

  private int shift32(int i) {
    boolean first = (i & 1) == 0;
    return first == (kind.order() == ByteOrder.BIG_ENDIAN) ? 32 : 0;
  }

  long position() {
    return position;
  }

  void moveTo(long newPosition) {
    position = newPosition;
  }

  Enum<?> stage() {
    return stage;
  }

  boolean isDirty() {
    return dirty;
  }

  void setDirty(boolean value) {
    dirty = value;
  }

  void countChange() {
    changes++;
  }

  boolean isAt(int change) {
    return changes == change;
  }

  void awaitNamingOf(Slice child) {
    if (unnamed == null) {
      unnamed = new ArrayList<>();
    }
    unnamed.add(child);
  }

  /** Fills the words from a table's bytes. Before anyone else sees the slice. */
  void fill(ByteBuffer bytes) {
    bytes.order(kind.order()).asLongBuffer().get(words);
  }

  /** The content now; under the metadata lock. */
  Image image() {
    byte[] bytes = new byte[bytes()];
    ByteBuffer.wrap(bytes).order(kind.order()).asLongBuffer().put(words);
    List<Slice> names = unnamed == null ? List.of() : List.copyOf(unnamed);
    return new Image(this, stage, position, bytes, changes, names);
  }

  /** An image that names these was handed to the host: from now on they are on disk for readers. */
  void named(List<Slice> children) {
    if (unnamed != null) {
      unnamed.removeAll(children);
    }
    for (Slice child : children) {
      child.stage = child.kind.stage();
    }
  }

  /** The content of a slice at one instant, on its way to the host. */
  public static final class Image {
    final Slice slice;
    final Enum<?> stage;
    private final long position;
    private final byte[] bytes;
    final int change;
    final List<Slice> names;

    private Image(
        Slice slice, Enum<?> stage, long position, byte[] bytes, int change, List<Slice> names) {
      this.slice = slice;
      this.stage = stage;
      this.position = position;
      this.bytes = bytes;
      this.change = change;
      this.names = names;
    }

    /** Where in the host file it goes. */
    public long position() {
      return position;
    }

    /** The bytes; read-only. */
    public ByteBuffer bytes() {
      return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    int length() {
      return bytes.length;
    }

    void copyTo(ByteBuffer target) {
      target.put(bytes);
    }
  }
}
