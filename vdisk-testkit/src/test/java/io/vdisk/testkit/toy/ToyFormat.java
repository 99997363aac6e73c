package io.vdisk.testkit.toy;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What the toys have in common as formats: the header, the backing file, the size. */
abstract class ToyFormat implements ImageFormat {
  static final long MAX_VIRTUAL_SIZE = 1L << 30;

  private final String name;
  private final int unit;

  /**
   * A format.
   *
   * @param unit bytes that it allocates at a time
   */
  ToyFormat(String name, int unit) {
    this.name = name;
    this.unit = unit;
  }

  /** Bytes that it allocates at a time. */
  final int unit() {
    return unit;
  }

  /** What a layout is made of. */
  record Parts(
      HostFile file, ToyHeader header, ImageInfo info, boolean hasBacking, OpenContext context) {}

  /** The layout of an image whose header was read. */
  abstract ToyLayout<?> layout(Parts parts) throws IOException;

  /**
   * Writes everything but the header.
   *
   * @return the header's words
   */
  abstract List<Long> format(HostFile file, ToyHeader header, CreateContext context)
      throws IOException;

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final Probe probe(HostFile file) throws IOException {
    return ToyHeader.isThere(file, name) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public final BlockDevice open(HostFile file, OpenContext context) throws IOException {
    ToyHeader header = ToyHeader.read(file, name, context.limits());
    Optional<Reference> named = header.backing(file);
    Optional<BlockDevice> backing = context.backing(named);
    ImageInfo info = ImageInfo.builder(name, header.virtualSize(), unit).backing(named).build();
    boolean hasBacking = backing.isPresent() || named.isPresent();
    return context.device(layout(new Parts(file, header, info, hasBacking, context)), backing);
  }

  @Override
  public final void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    if (!options.options().isEmpty()) {
      throw new IllegalArgumentException(name + " has no options, not " + options.options());
    }
    long size = size(file, options, context);
    if (size > MAX_VIRTUAL_SIZE) {
      throw new UnsupportedImageException(file.name() + ": virtual size " + size);
    }
    ToyHeader header =
        new ToyHeader(name, size, List.of(), options.backingName(), options.backingFormat());
    header.withWords(format(file, header, context)).write(file);
  }

  private static long size(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    if (options.virtualSize().isPresent()) {
      return options.virtualSize().get();
    }
    String backing =
        options
            .backingName()
            .orElseThrow(() -> new IllegalArgumentException("a size or a backing file is needed"));
    Reference reference =
        new Reference(Reference.Kind.BACKING, backing, options.backingFormat(), file, false);
    return context.backingInfo(reference).virtualSize();
  }

  /** How many of {@code each} it takes for {@code whole}. */
  static long ceilDiv(long whole, long each) {
    return (whole + each - 1) / each;
  }
}
