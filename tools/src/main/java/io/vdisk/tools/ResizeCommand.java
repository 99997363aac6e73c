package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Reserving;
import io.vdisk.feature.Resizing;
import io.vdisk.file.Zeroes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** {@code vdisk resize}: another size of the disk. */
final class ResizeCommand {
  static final String USAGE =
      "vdisk resize [--shrink] [--preallocation=off|metadata|falloc|full] [-f FORMAT] [-q]"
          + " [--backing-policy=POLICY] [--object SECRET] [--source-secret ID] [--image-opts]"
          + " FILE [+|-]SIZE";

  private static final int STEP = 1 << 20;

  private final Console console;
  private final Arguments arguments;
  private final NamedImage image;
  private final String preallocation;

  private ResizeCommand(Console console, Arguments arguments, NamedImage image)
      throws UsageException {
    this.console = console;
    this.arguments = arguments;
    this.image = image;
    this.preallocation = arguments.value("--preallocation").orElse("off");
    if (!List.of("off", "metadata", "falloc", "full").contains(preallocation)) {
      throw new UsageException("there is no preallocation '" + preallocation + "'");
    }
  }

  /** The last word is the size: one that shrinks looks like an option. */
  static int run(List<String> words, Console console) throws IOException, UsageException {
    String size = words.isEmpty() ? "" : words.get(words.size() - 1);
    boolean isSize = !size.isEmpty() && (!size.startsWith("-") || isShrinking(size));
    Arguments arguments =
        Opening.syntax()
            .flag("--shrink")
            .value("--preallocation")
            .flag("-q", "--quiet")
            .parse(isSize ? words.subList(0, words.size() - 1) : words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    if (!isSize || arguments.operands().size() != 1) {
      throw new UsageException("expected FILE and [+|-]SIZE");
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands().get(0));
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      new ResizeCommand(console, arguments, image).resize(opening, size);
    }
    return 0;
  }

  private static boolean isShrinking(String word) {
    return word.length() > 1 && word.charAt(1) >= '0' && word.charAt(1) <= '9';
  }

  private void resize(Opening opening, String text) throws IOException, UsageException {
    boolean isRelative = text.startsWith("+") || text.startsWith("-");
    long number = ByteSize.parse(isRelative ? text.substring(1) : text, 1);
    try (BlockDevice device = opening.write(image.path(), image.format())) {
      long before = device.size();
      long after = !isRelative ? number : text.startsWith("-") ? before - number : before + number;
      if (after < 0) {
        throw new UsageException(
            image.file() + " has " + before + " bytes, and cannot get " + text);
      }
      check(device, before, after);
      Optional<Resizing> resizing = device.feature(Resizing.class);
      if (resizing.isEmpty()) {
        throw new UnsupportedImageException(
            image.file() + ": " + device.info().format() + " images cannot be resized");
      }
      resizing.get().resize(after);
      if (!preallocation.equals("off")) {
        preallocate(device, before, after);
      }
    }
    if (!arguments.has("--quiet")) {
      console.out().println("Image resized.");
    }
  }

  private void check(BlockDevice device, long before, long after) throws UsageException {
    if (after < before && !arguments.has("--shrink")) {
      throw new UsageException(
          image.file() + " would lose all that lies behind its new end: shrinking needs --shrink");
    }
    if (after <= before && !preallocation.equals("off")) {
      throw new UsageException("only a disk that grows can be preallocated");
    }
    if (device.info().unit() == 1 && preallocation.equals("metadata")) {
      throw new UsageException(
          device.info().format() + " images have no metadata that could be preallocated");
    }
  }

  /** Zeroes that are written take their space; for tables alone some of each unit is enough. */
  private void preallocate(BlockDevice device, long from, long to) throws IOException {
    long unit = device.info().unit();
    boolean tablesOnly = preallocation.equals("metadata");
    Optional<Reserving> reserving =
        preallocation.equals("falloc") ? device.feature(Reserving.class) : Optional.empty();
    ByteBuffer zeroes = ByteBuffer.allocateDirect(tablesOnly ? 1 : STEP);
    Zeroes.fill(zeroes);
    for (long at = from; at < to; ) {
      long reserved = reserving.isPresent() ? reserving.get().reserve(at, to - at) : 0;
      if (reserved > 0) {
        at += reserved;
        continue;
      }
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), to - at));
      int length = zeroes.remaining();
      device.write(zeroes, at);
      at = tablesOnly ? at - at % unit + unit : at + length;
    }
    device.flush();
  }
}
