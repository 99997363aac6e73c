package io.vdisk;

import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.UnflushedFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.InstalledFormats;
import io.vdisk.spi.OpenSession;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The front door: opens, creates and recognises images. All methods are thread-safe. */
public final class Images {
  private Images() {}

  /**
   * Opens the image in a file, block device, or any other {@code FileSystem}'s file.
   *
   * <p>Without {@link OpenOptions#withFormat} the format is recognised by its magic number. A file
   * that no format recognises is refused: that it is raw must be said, because the guest of a raw
   * disk can write any header into it.
   *
   * @throws ImageException if the image is not what it should be, or names what it may not
   */
  public static BlockDevice open(Path file, OpenOptions options) throws IOException {
    HostFile opened = file(file, options);
    return open(opened, opened, options);
  }

  private static HostFile file(Path file, OpenOptions options) throws IOException {
    return LocalFile.open(file, options.isWritable(), options.isLocked(), options.pageCache());
  }

  /** Opens the image in {@code file}, which stays the caller's and must stay open. */
  public static BlockDevice open(HostFile file, OpenOptions options) throws IOException {
    return open(file, () -> {}, options);
  }

  private static BlockDevice open(HostFile file, Closeable owner, OpenOptions options)
      throws IOException {
    HostFile image = options.isDurable() ? file : new UnflushedFile(file);
    return OpenSession.open(image, owner, options);
  }

  /**
   * Makes an image in a file that does not exist, and opens it for writing. A failed creation
   * deletes every file that it made.
   *
   * @throws java.nio.file.FileAlreadyExistsException if the file exists
   */
  public static BlockDevice create(Path file, CreateOptions options) throws IOException {
    HostFile made = LocalFile.create(file, options.pageCache());
    try {
      CreateSession.create(made, options);
      return OpenSession.open(
          options.isDurable() ? made : new UnflushedFile(made), made, reopening(options));
    } catch (IOException | RuntimeException | Error e) {
      try (made) {
        Files.deleteIfExists(file);
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /**
   * Makes an image in an empty file, or in one that cannot grow, such as a block device: what that
   * held is lost, also if this fails. The file stays the caller's; the image is open for writing.
   */
  public static BlockDevice create(HostFile file, CreateOptions options) throws IOException {
    if (file.size() != 0 && file.size() < file.capacity()) {
      throw new IOException(file.name() + " is not empty");
    }
    CreateSession.create(file, options);
    return open(file, reopening(options));
  }

  /**
   * A disk in memory, writable and at first zero. Its content goes with {@code close}; what was
   * never written, or was discarded, takes no memory.
   *
   * @param size bytes, fixed; at most 1 TiB
   */
  public static BlockDevice ram(long size) throws IOException {
    return RamFormat.device(size);
  }

  private static OpenOptions reopening(CreateOptions options) {
    OpenOptions open =
        OpenOptions.readWrite()
            .withFormat(options.format())
            .withReferences(options.references())
            .withSecrets(options.secrets())
            .withLimits(options.limits());
    if (options.formats().isPresent()) {
      open = open.withFormats(options.formats().get());
    }
    if (options.isWithoutOpeningBacking()) {
      open = open.withoutBacking();
    }
    return options.isDurable() ? open : open.withoutDurability();
  }

  /** Reads an image in the order in which it arrives; its format must be said. */
  public static SequentialSource openStream(InputStream in, OpenOptions options)
      throws IOException {
    String name =
        options
            .format()
            .orElseThrow(() -> new IllegalArgumentException("a stream's format must be said"));
    return format(options.formats().orElseGet(Images::formats), name).openStream(in, options);
  }

  /** Writes an image to something that cannot seek. */
  public static SequentialTarget createStream(OutputStream out, CreateOptions options)
      throws IOException {
    return format(options.formats().orElseGet(Images::formats), options.format())
        .createStream(out, options);
  }

  /** Whether images of a format, which may be unknown, are read by {@link #openStream} alone. */
  public static boolean isReadAsStream(String name) {
    return InstalledFormats.of(formats())
        .named(name)
        .filter(ImageFormat::isReadAsStream)
        .isPresent();
  }

  /** Whether an image of these options is written by {@link #createStream} alone. */
  public static boolean isWrittenAsStream(CreateOptions options) {
    return InstalledFormats.of(options.formats().orElseGet(Images::formats))
        .named(options.format())
        .filter(format -> format.isWrittenAsStream(options))
        .isPresent();
  }

  /**
   * How large the file of an empty image would become. Makes nothing.
   *
   * @param options with a virtual size
   */
  public static Measurement measure(CreateOptions options) throws IOException {
    return measuring(options).measure(Optional.empty(), options);
  }

  /**
   * How large the file of an image would become that holds what {@code source} reads. Makes
   * nothing, and reads no data.
   *
   * @param source stays the caller's
   * @param options what to make; the virtual size is the source's
   */
  public static Measurement measure(BlockDevice source, CreateOptions options) throws IOException {
    return measuring(options).measure(Optional.of(source), options.withVirtualSize(source.size()));
  }

  private static ImageFormat measuring(CreateOptions options) throws IOException {
    return format(options.formats().orElseGet(Images::formats), options.format());
  }

  private static ImageFormat format(List<ImageFormat> formats, String name) throws IOException {
    return InstalledFormats.of(formats)
        .named(name)
        .orElseThrow(() -> new UnsupportedImageException("there is no format '" + name + "' here"));
  }

  /** What a file may be, surest first; empty if no format knows it. */
  public static List<Match> probe(HostFile file) throws IOException {
    return InstalledFormats.find().probe(file);
  }

  /** The same for a file or block device, opened and locked as {@code options} say. */
  public static List<Match> probe(Path file, OpenOptions options) throws IOException {
    try (HostFile opened = file(file, options)) {
      return options
          .formats()
          .map(InstalledFormats::of)
          .orElseGet(InstalledFormats::find)
          .probe(opened);
    }
  }

  /**
   * A device as a channel with a position of its own, for one thread at a time. The device stays
   * the caller's. A write past its end fails; {@code truncate} to less than its size is refused.
   */
  public static SeekableByteChannel channel(BlockDevice device) {
    return new DeviceChannel(device);
  }

  /** The formats that are installed. */
  public static List<ImageFormat> formats() {
    return InstalledFormats.find().all();
  }
}
