package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.Secrets;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.metadata.CacheBudget;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Opens one image, and by {@link #backing} the chain below it: resolves what it names, counts the
 * depth, finds loops, and owns what it opened. The engine's front door; users take {@code
 * io.vdisk.Images}.
 */
public final class OpenSession implements OpenContext {
  /** What a backing file whose format nobody says and nobody recognises is, as for Xen and QEMU. */
  private static final String RAW = "raw";

  private final OpenOptions options;
  private final InstalledFormats formats;
  private final CacheBudget budget;
  private final int depth;

  /** The files of this image and of those above it. */
  private final Set<Object> keys;

  private final Deque<Closeable> owned = new ArrayDeque<>();

  private OpenSession(
      OpenOptions options,
      InstalledFormats formats,
      CacheBudget budget,
      int depth,
      Set<Object> keys) {
    this.options = options;
    this.formats = formats;
    this.budget = budget;
    this.depth = depth;
    this.keys = keys;
  }

  /**
   * Opens an image.
   *
   * @param file the image
   * @param owner closed with the device, or at once if opening fails: the file if it is the
   *     library's
   */
  public static BlockDevice open(HostFile file, Closeable owner, OpenOptions options)
      throws IOException {
    return open(file, owner, options, 1);
  }

  /** Opens what another image names as its backing file: what nobody recognises is raw. */
  static BlockDevice openBelow(HostFile file, OpenOptions options) throws IOException {
    return open(file, file, options, 2);
  }

  private static BlockDevice open(HostFile file, Closeable owner, OpenOptions options, int depth)
      throws IOException {
    CacheBudget budget =
        options.metadataCache() == 0
            ? CacheBudget.standard()
            : new CacheBudget(options.metadataCache());
    InstalledFormats formats =
        options.formats().map(InstalledFormats::of).orElseGet(InstalledFormats::find);
    OpenSession session = new OpenSession(options, formats, budget, depth, new HashSet<>());
    session.owned.push(owner);
    return session.run(file, options.format());
  }

  private BlockDevice run(HostFile file, Optional<String> format) throws IOException {
    boolean opened = false;
    try {
      keys.add(file.key());
      BlockDevice device = format(file, format).open(file, this);
      opened = true;
      return device;
    } catch (IOException | RuntimeException | Error e) {
      closeOwned(e);
      throw e;
    } finally {
      assert opened || owned.isEmpty();
    }
  }

  private ImageFormat format(HostFile file, Optional<String> name) throws IOException {
    if (name.isPresent()) {
      return formats.require(name.get(), file.name());
    }
    Optional<ImageFormat> recognised = formats.recognise(file);
    if (recognised.isPresent()) {
      return recognised.get();
    }
    if (depth > 1) {
      return formats.require(RAW, file.name());
    }
    throw new UnsupportedImageException(
        file.name() + " is in no format that is recognised; if it is raw, that must be said");
  }

  @Override
  public OpenOptions options() {
    return options;
  }

  @Override
  public Limits limits() {
    return options.limits();
  }

  @Override
  public Secrets secrets() {
    return options.secrets();
  }

  @Override
  public boolean writable() {
    return options.isWritable();
  }

  @Override
  public CacheBudget cacheBudget() {
    return budget;
  }

  @Override
  public BlockDevice device(ImageLayout layout, Optional<BlockDevice> backing) {
    return new ImageDevice(layout, writable(), backing, () -> closeOwned(null));
  }

  @Override
  public BlockDevice view(ImageLayout layout, Optional<BlockDevice> backing) {
    return new ImageDevice(layout, false, backing, () -> {});
  }

  @Override
  public Optional<BlockDevice> backing(Optional<Reference> reference) throws IOException {
    if (options.backing().isPresent()) {
      return options.backing();
    }
    if (reference.isEmpty()) {
      return Optional.empty();
    }
    Reference named = reference.get();
    if (options.isWithoutBacking()) {
      return Optional.of(new AbsentBacking(named));
    }
    if (depth >= limits().chainDepth()) {
      throw new UnsupportedImageException(
          named.from().name() + ": the chain is deeper than " + limits().chainDepth() + " images");
    }
    HostFile file = options.references().open(named);
    if (keys.contains(file.key())) {
      try (file) {
        throw new CorruptImageException(
            named.from().name() + ": the chain of backing files comes back to " + file.name());
      }
    }
    OpenSession below =
        new OpenSession(optionsBelow(), formats, budget, depth + 1, new HashSet<>(keys));
    below.owned.push(file);
    BlockDevice device = below.run(file, options.backingFormat().or(named::openFormat));
    owned.push(device);
    return Optional.of(device);
  }

  private OpenOptions optionsBelow() {
    return options.asReadOnly().withoutBackingFormat();
  }

  @Override
  public HostFile file(Reference reference) throws IOException {
    HostFile file = options.references().open(reference);
    owned.push(file);
    keys.add(file.key());
    return file;
  }

  /** Closes in reverse order; all, whatever fails. */
  private void closeOwned(@org.jspecify.annotations.Nullable Throwable reason) throws IOException {
    IOException failure = null;
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (IOException e) {
        if (reason != null) {
          reason.addSuppressed(e);
        } else if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
