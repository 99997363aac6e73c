package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.DirtyBitmaps;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** {@code vdisk bitmap}: changes the bitmaps inside an image that record what was written. */
final class BitmapCommand {
  static final String USAGE =
      "vdisk bitmap (--merge SOURCE | --add | --remove | --clear | --enable | --disable)..."
          + " [-b SOURCEFILE [-F FORMAT]] [-g GRANULARITY] [-f FORMAT] [--object SECRET]"
          + " [--source-secret ID] [--image-opts] FILE BITMAP";

  private static final long DEFAULT_GRANULARITY = 65_536;

  private static final List<String> ACTIONS =
      List.of("--add", "--remove", "--clear", "--enable", "--disable", "--merge");

  private final Arguments arguments;
  private final Opening opening;
  private final DirtyBitmaps bitmaps;
  private final String name;

  private BitmapCommand(Arguments arguments, Opening opening, DirtyBitmaps bitmaps, String name) {
    this.arguments = arguments;
    this.opening = opening;
    this.bitmaps = bitmaps;
    this.name = name;
  }

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .flag("--add")
            .flag("--remove")
            .flag("--clear")
            .flag("--enable")
            .flag("--disable")
            .value("--merge")
            .value("-b", "--source-file")
            .value("-g", "--granularity")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    List<String> operands = arguments.operands(2, "FILE and BITMAP");
    NamedImage image = NamedImage.of(arguments, operands.get(0));
    check(arguments);
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      try (BlockDevice device = opening.writeAlone(image.path(), image.format())) {
        new BitmapCommand(arguments, opening, feature(device, image.file()), operands.get(1)).run();
      }
    }
    return 0;
  }

  private static void check(Arguments arguments) throws UsageException {
    boolean any = false;
    for (String action : ACTIONS) {
      any |= arguments.has(action);
    }
    if (!any) {
      throw new UsageException(
          "one of --add, --remove, --clear, --enable, --disable and --merge is missing");
    }
    if (arguments.has("--granularity") && !arguments.has("--add")) {
      throw new UsageException("-g is for --add");
    }
    if (arguments.has("--source-file") && !arguments.has("--merge")) {
      throw new UsageException("-b is for --merge");
    }
    if (arguments.has("-F") && !arguments.has("--source-file")) {
      throw new UsageException("-F is for -b");
    }
  }

  private static DirtyBitmaps feature(BlockDevice device, String file) throws IOException {
    Optional<DirtyBitmaps> bitmaps = device.feature(DirtyBitmaps.class);
    if (bitmaps.isEmpty()) {
      throw new UnsupportedImageException(
          file + ": " + device.info().format() + " images have no bitmaps");
    }
    return bitmaps.get();
  }

  /** In the order in which they were given; what was done before a failure stays. */
  private void run() throws IOException, UsageException {
    Iterator<String> sources = arguments.values("--merge").iterator();
    for (String option : arguments.order()) {
      switch (option) {
        case "--add" -> add();
        case "--remove" -> bitmaps.remove(name);
        case "--clear" -> bitmaps.clear(name);
        case "--enable" -> bitmaps.setEnabled(name, true);
        case "--disable" -> bitmaps.setEnabled(name, false);
        case "--merge" -> merge(sources.next());
        default -> {}
      }
    }
  }

  private void add() throws IOException, UsageException {
    Optional<String> text = arguments.value("--granularity");
    long granularity = text.isPresent() ? ByteSize.parse(text.get(), 1) : DEFAULT_GRANULARITY;
    if (Long.bitCount(granularity) != 1 || granularity < 512) {
      throw new UsageException("the granularity is a power of two from 512 on");
    }
    for (DirtyBitmaps.Bitmap bitmap : bitmaps.list()) {
      if (bitmap.name().equals(name)) {
        throw new IOException("there is a bitmap '" + name + "' already");
      }
    }
    DirtyBitmaps.Bitmap unused = bitmaps.create(name, granularity);
  }

  private void merge(String source) throws IOException {
    Optional<String> other = arguments.value("--source-file");
    if (other.isEmpty()) {
      bitmaps.merge(name, source);
      return;
    }
    Path path = Path.of(other.get());
    try (BlockDevice device = opening.alone(path, arguments.value("-F"))) {
      bitmaps.merge(name, feature(device, other.get()).dirty(source));
    }
  }
}
