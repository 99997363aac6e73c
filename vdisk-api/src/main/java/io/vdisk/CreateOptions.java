package io.vdisk;

import io.vdisk.file.PageCache;
import io.vdisk.spi.ImageFormat;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What image to make. Immutable.
 *
 * <p>A format's own choices are named options, spelled as {@code qemu-img create -o} spells them
 * where it has them ("cluster_size", "preallocation"); one that the format does not know is refused
 * with {@link IllegalArgumentException}.
 */
public final class CreateOptions {
  private final State state;

  private CreateOptions(State state) {
    this.state = state;
  }

  /**
   * An image of this format.
   *
   * @param format the format's name
   * @param virtualSize bytes of the virtual disk, at least 0
   */
  public static CreateOptions of(String format, long virtualSize) {
    return new CreateOptions(new State(format)).withVirtualSize(virtualSize);
  }

  /** An image of this format, as large as its backing file. */
  public static CreateOptions overlay(
      String format, String backingName, @Nullable String backingFormat) {
    return new CreateOptions(new State(format)).withBacking(backingName, backingFormat);
  }

  /** The same with another virtual size, bytes. */
  public CreateOptions withVirtualSize(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("virtual size " + bytes);
    }
    return with(s -> s.virtualSize = bytes);
  }

  /**
   * Names a backing file in the image: the name as it is to be written, and its format if known.
   */
  public CreateOptions withBacking(String name, @Nullable String format) {
    return with(
        s -> {
          s.backingName = name;
          s.backingFormat = format;
        });
  }

  /** Sets one of the format's own options. */
  public CreateOptions withOption(String name, String value) {
    return with(
        s -> {
          Map<String, String> options = new LinkedHashMap<>(s.options);
          options.put(name, value);
          s.options = Collections.unmodifiableMap(options);
        });
  }

  /** Lets this policy decide where extents and data files of the new image may lie. */
  public CreateOptions withReferences(ReferencePolicy policy) {
    return with(s -> s.references = policy);
  }

  /** Asks here for passphrases and keys. */
  public CreateOptions withSecrets(Secrets secrets) {
    return with(s -> s.secrets = secrets);
  }

  /** Refuses to make an image beyond this. */
  public CreateOptions withLimits(Limits limits) {
    return with(s -> s.limits = limits);
  }

  /** Knows these formats instead of those that are installed. */
  public CreateOptions withFormats(List<ImageFormat> formats) {
    return with(s -> s.formats = List.copyOf(formats));
  }

  /**
   * Does not look at the backing file, which may be missing: the virtual size must be said. What
   * the new image does not hold cannot be read until it is opened again.
   */
  public CreateOptions withoutOpeningBacking() {
    return with(s -> s.alone = true);
  }

  /** Never flushes the host. For targets that can be made again. */
  public CreateOptions withoutDurability() {
    return with(s -> s.durable = false);
  }

  /**
   * The name, without a folder, that the image's file is to have in the end, if it is made under
   * another one: what an image says of itself, and the names of further files, follow from it.
   */
  public CreateOptions withFileName(String name) {
    return with(s -> s.fileName = name);
  }

  /**
   * Does this with the host's page cache, for the image and the files that it names; otherwise
   * {@link PageCache#USED}. A file that is handed over open goes its own way.
   */
  public CreateOptions withPageCache(PageCache cache) {
    return with(s -> s.pageCache = cache);
  }

  /** The format's name. */
  public String format() {
    return state.format;
  }

  /** Bytes of the virtual disk; empty: as large as the backing file. */
  public Optional<Long> virtualSize() {
    return state.virtualSize < 0 ? Optional.empty() : Optional.of(state.virtualSize);
  }

  /** The name of the backing file as it is to be written; empty if none. */
  public Optional<String> backingName() {
    return Optional.ofNullable(state.backingName);
  }

  /** The format of the backing file as it is to be written; empty if none. */
  public Optional<String> backingFormat() {
    return Optional.ofNullable(state.backingFormat);
  }

  /** The format's own options, in the order in which they were set. */
  public Map<String, String> options() {
    return state.options;
  }

  /** Who decides where extents and data files may lie, and what the backing file may be. */
  public ReferencePolicy references() {
    return state.references;
  }

  /** Who knows passphrases and keys. */
  public Secrets secrets() {
    return state.secrets;
  }

  /** What to refuse. */
  public Limits limits() {
    return state.limits;
  }

  /** The formats to know; empty: those that are installed. */
  public Optional<List<ImageFormat>> formats() {
    return Optional.ofNullable(state.formats);
  }

  /** Whether the backing file is left alone. */
  public boolean isWithoutOpeningBacking() {
    return state.alone;
  }

  /** Whether creation and later flushes reach the host's disk. */
  public boolean isDurable() {
    return state.durable;
  }

  /** The name that the image's file is to have in the end; empty: the one that it has. */
  public Optional<String> fileName() {
    return Optional.ofNullable(state.fileName);
  }

  /** What becomes of the host's page cache. */
  public PageCache pageCache() {
    return state.pageCache;
  }

  private CreateOptions with(java.util.function.Consumer<State> change) {
    State copy = state.copy();
    change.accept(copy);
    return new CreateOptions(copy);
  }

  /** The fields, so that one place copies them. Never changed once a CreateOptions holds it. */
  private static final class State implements Cloneable {
    final String format;
    long virtualSize = -1;
    @Nullable String backingName;
    @Nullable String backingFormat;
    Map<String, String> options = Map.of();
    ReferencePolicy references = ReferencePolicy.deny();
    Secrets secrets = Secrets.NONE;
    Limits limits = Limits.DEFAULT;
    @Nullable List<ImageFormat> formats;
    boolean alone;
    boolean durable = true;
    @Nullable String fileName;
    PageCache pageCache = PageCache.USED;

    State(String format) {
      this.format = format;
    }

    State copy() {
      try {
        return (State) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
