package io.vdisk;

import io.vdisk.file.PageCache;
import io.vdisk.spi.ImageFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How to open an image. Immutable.
 *
 * <p>Unless told otherwise: the format is found by probing, nothing that the image names is opened,
 * and the file is locked against writers of this library and of QEMU.
 */
public final class OpenOptions {
  private static final OpenOptions READ_ONLY = new OpenOptions(new State());

  private final State state;

  private OpenOptions(State state) {
    this.state = state;
  }

  /** For reading alone. */
  public static OpenOptions readOnly() {
    return READ_ONLY;
  }

  /** For reading and writing. */
  public static OpenOptions readWrite() {
    return READ_ONLY.with(s -> s.writable = true);
  }

  /** The same options for reading alone. */
  public OpenOptions asReadOnly() {
    return with(
        s -> {
          s.writable = false;
          s.repair = false;
        });
  }

  /** The same options for reading and writing. */
  public OpenOptions asReadWrite() {
    return with(s -> s.writable = true);
  }

  /** Opens as this format, without probing. */
  public OpenOptions withFormat(String name) {
    return with(s -> s.format = name);
  }

  /** Knows these formats instead of those that are installed. */
  public OpenOptions withFormats(List<ImageFormat> formats) {
    return with(s -> s.formats = List.copyOf(formats));
  }

  /** Opens the image's backing file as this format, whatever the image records. */
  public OpenOptions withBackingFormat(String name) {
    return with(s -> s.backingFormat = name);
  }

  /** Opens backing files as what their images record, again. */
  public OpenOptions withoutBackingFormat() {
    return with(s -> s.backingFormat = null);
  }

  /**
   * Reads what the image does not hold from this device, whatever the image names. The device stays
   * the caller's: it must stay open as long as this image, and may serve several.
   */
  public OpenOptions withBacking(BlockDevice device) {
    return with(s -> s.backing = device);
  }

  /**
   * Opens the image alone: what it names is neither opened nor refused. A read that needs it fails
   * with {@link ReferenceDeniedException}. For looking at metadata.
   */
  public OpenOptions withoutBacking() {
    return with(s -> s.alone = true);
  }

  /** Lets this policy decide what the image may name; otherwise {@link ReferencePolicy#deny()}. */
  public OpenOptions withReferences(ReferencePolicy policy) {
    return with(s -> s.references = policy);
  }

  /** Asks here for passphrases and keys. */
  public OpenOptions withSecrets(Secrets secrets) {
    return with(s -> s.secrets = secrets);
  }

  /** Keeps at most this many bytes of tables in memory, for the whole chain; at least 64 KiB. */
  public OpenOptions withMetadataCache(long bytes) {
    if (bytes < 65_536) {
      throw new IllegalArgumentException("metadata cache of " + bytes + " bytes");
    }
    return with(s -> s.metadataCache = bytes);
  }

  /** Refuses images that ask for more than this. */
  public OpenOptions withLimits(Limits limits) {
    return with(s -> s.limits = limits);
  }

  /** Takes no lock on the host: for those who keep writers apart by other means. */
  public OpenOptions withoutLock() {
    return with(s -> s.lock = false);
  }

  /**
   * Never flushes the host: {@code flush} then promises nothing beyond the process. For targets
   * that can be made again.
   */
  public OpenOptions withoutDurability() {
    return with(s -> s.durable = false);
  }

  /**
   * Opens the image for {@link io.vdisk.feature.Repairing} alone: also one whose marks forbid
   * writing. Everything else that would change it is refused.
   */
  public OpenOptions forRepair() {
    return with(
        s -> {
          s.writable = true;
          s.repair = true;
        });
  }

  /**
   * Does this with the host's page cache, for the image and the files that it names; otherwise
   * {@link PageCache#USED}. A file that is handed over open goes its own way.
   */
  public OpenOptions withPageCache(PageCache cache) {
    return with(s -> s.pageCache = cache);
  }

  /** Whether the image is to be written. */
  public boolean isWritable() {
    return state.writable;
  }

  /** Whether the image is opened to be repaired. */
  public boolean isForRepair() {
    return state.repair;
  }

  /** The format to open as; empty: by probing. */
  public Optional<String> format() {
    return Optional.ofNullable(state.format);
  }

  /** The formats to know; empty: those that are installed. */
  public Optional<List<ImageFormat>> formats() {
    return Optional.ofNullable(state.formats);
  }

  /** The format to open the backing file as; empty: what the image records, or by probing. */
  public Optional<String> backingFormat() {
    return Optional.ofNullable(state.backingFormat);
  }

  /** The device to read from what the image does not hold; empty: what the image names. */
  public Optional<BlockDevice> backing() {
    return Optional.ofNullable(state.backing);
  }

  /** Whether what the image names is left alone. */
  public boolean isWithoutBacking() {
    return state.alone;
  }

  /** Who decides what the image may name. */
  public ReferencePolicy references() {
    return state.references;
  }

  /** Who knows passphrases and keys. */
  public Secrets secrets() {
    return state.secrets;
  }

  /** Bytes of tables to keep in memory; 0: 16 MiB or an eighth of the heap, whichever is less. */
  public long metadataCache() {
    return state.metadataCache;
  }

  /** What to refuse. */
  public Limits limits() {
    return state.limits;
  }

  /** Whether the host's locks are taken. */
  public boolean isLocked() {
    return state.lock;
  }

  /** Whether a flush reaches the host's disk. */
  public boolean isDurable() {
    return state.durable;
  }

  /** What becomes of the host's page cache. */
  public PageCache pageCache() {
    return state.pageCache;
  }

  private OpenOptions with(java.util.function.Consumer<State> change) {
    State copy = state.copy();
    change.accept(copy);
    return new OpenOptions(copy);
  }

  /** The fields, so that one place copies them. Never changed once an OpenOptions holds it. */
  private static final class State implements Cloneable {
    boolean writable;
    boolean repair;
    @Nullable String format;
    @Nullable List<ImageFormat> formats;
    @Nullable String backingFormat;
    @Nullable BlockDevice backing;
    boolean alone;
    ReferencePolicy references = ReferencePolicy.deny();
    Secrets secrets = Secrets.NONE;
    long metadataCache;
    Limits limits = Limits.DEFAULT;
    boolean lock = true;
    boolean durable = true;
    PageCache pageCache = PageCache.USED;

    State copy() {
      try {
        return (State) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
