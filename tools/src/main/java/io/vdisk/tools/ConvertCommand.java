package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCopy;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.ReferencePolicy;
import io.vdisk.SequentialSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** {@code vdisk convert}: writes what one image reads as another. */
final class ConvertCommand {
  static final String USAGE =
      "vdisk convert [-f FORMAT] -O FORMAT [-c] [-o NAME=VALUE,... | -o help] [-p] [-q] [-U] [-m THREADS] [-W] [-S SIZE] [-r RATE]"
          + " [-t MODE] [-T MODE] [-l SNAPSHOT] [--drop-cache] [-B BACKING] [-F FORMAT]"
          + " [--backing-policy=deny|same-directory|within=DIR|any]"
          + " [--object secret,id=ID,file=PATH|data=TEXT[,format=raw|base64]]"
          + " [--source-secret ID] [--image-opts] SOURCE TARGET\n"
          + "RATE: bytes of data that are written in a second at most, as 20M\n"
          + "MODE is writeback, unsafe (never flushed), none (past the host's page cache, where the host lets it),"
          + " writethrough or directsync.\n"
          + "SOURCE or TARGET may be -, standard input and output: one pass over what can be read or"
          + " written so (raw, vmdk, ova)\n"
          + "--drop-cache: what was read and written is dropped from the page cache again";

  private final Arguments arguments;
  private final Console console;

  private ConvertCommand(Arguments arguments, Console console) {
    this.arguments = arguments;
    this.console = console;
  }

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-O")
            .flag("-c")
            .value("-o")
            .flag("-p")
            .flag("-q")
            .flag("-W")
            .value("-S")
            .value("-m")
            .value("-r")
            .value("-T")
            .flag("--drop-cache")
            .value("-l")
            .value("-B")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    ConvertCommand command = new ConvertCommand(arguments, console);
    if (OptionsHelp.asked(arguments)) {
      OptionsHelp.of(command.targetFormat(), console).printCreation();
    } else {
      command.convert();
    }
    return 0;
  }

  private void convert() throws IOException, UsageException {
    List<String> files = arguments.operands(2, "SOURCE and TARGET");
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      convert(NamedImage.of(arguments, files.get(0)), Path.of(files.get(1)), secrets);
    }
  }

  private void convert(NamedImage named, Path target, SecretObjects secrets)
      throws IOException, UsageException {
    CreateOptions options = options(secrets);
    Opening opening =
        Opening.of(arguments, console, "vdisk")
            .with(secrets.named(named.secret()))
            .with(CacheMode.of(arguments, "-T").pageCache());
    NamedImage image = recognised(named, opening);
    Optional<String> streamed = streamed(image);
    if (streamed.isPresent()
        || target.toString().equals(StreamConversion.PIPE)
        || Images.isWrittenAsStream(options)) {
      stream(image, streamed, target, opening, options);
      return;
    }
    Path source = image.path();
    Optional<String> sourceBackingFormat =
        options.backingName().isPresent() ? Optional.empty() : arguments.value("-F");
    refuseSameFile(source, target);
    try (BlockDevice opened = opening.read(source, image.format(), sourceBackingFormat);
        BlockDevice from = NamedSnapshot.of(opened, arguments.value("-l"), image.file());
        TargetFile file = TargetFile.of(target)) {
      try (BlockDevice to = file.create(options.withVirtualSize(from.size()))) {
        copy(from, to, file.isUsed(options), options);
      } catch (IOException e) {
        throw file.named(e);
      }
      file.complete();
    }
  }

  /** The source with its format, which is looked for once, unless standard input is meant. */
  private static NamedImage recognised(NamedImage image, Opening opening)
      throws IOException, UsageException {
    if (!image.file().equals(StreamConversion.PIPE)) {
      return new NamedImage(
          image.file(), opening.format(image.path(), image.format()), image.secret());
    }
    if (image.format().isEmpty()) {
      throw new UsageException("- needs -f with the format that comes in");
    }
    return image;
  }

  /** The format of standard input, or of a file that is read in one pass alone. */
  private static Optional<String> streamed(NamedImage image) {
    boolean isPipe = image.file().equals(StreamConversion.PIPE);
    return image.format().filter(format -> isPipe || Images.isReadAsStream(format));
  }

  private void stream(
      NamedImage image,
      Optional<String> streamed,
      Path target,
      Opening opening,
      CreateOptions options)
      throws IOException, UsageException {
    for (String option : List.of("-c", "-B", "-W", "-S", "-r", "--drop-cache")) {
      if (arguments.has(option)) {
        throw new UsageException(option + " does not go with what is copied in one pass");
      }
    }
    boolean isWatched = arguments.has("-p") && !arguments.has("-q");
    Progress progress =
        isWatched ? new ProgressBar(console.err(), console.terminal()) : Progress.NONE;
    Optional<Long> said = ImageOptions.of(arguments, "-B", targetFormat()).size();
    StreamConversion conversion =
        new StreamConversion(
            console,
            progress,
            said.isPresent() ? OptionalLong.of(said.get()) : OptionalLong.empty());
    if (streamed.isPresent()) {
      if (arguments.has("-l")) {
        throw new UsageException("-l does not go with what is read in one pass");
      }
      try (SequentialSource source = conversion.source(image, streamed.get(), opening.options())) {
        stream(conversion, source, target, options);
      }
      return;
    }
    refuseSameFile(image.path(), target);
    try (BlockDevice opened = opening.read(image.path(), image.format(), arguments.value("-F"));
        BlockDevice from = NamedSnapshot.of(opened, arguments.value("-l"), image.file());
        SequentialSource source = SequentialSource.of(from)) {
      stream(conversion, source, target, options);
    }
  }

  private static void stream(
      StreamConversion conversion, SequentialSource source, Path target, CreateOptions options)
      throws IOException {
    if (target.toString().equals(StreamConversion.PIPE)) {
      conversion.toStandardOutput(source, options);
    } else if (Images.isWrittenAsStream(options)) {
      conversion.toFile(source, target, options);
    } else {
      conversion.toImage(source, target, options);
    }
  }

  private void copy(BlockDevice from, BlockDevice to, boolean isUsed, CreateOptions options)
      throws IOException, UsageException {
    ImageCopy copy = ImageCopy.of(from, to);
    boolean backed = options.backingName().isPresent();
    // Formats of whole sectors round the size up; a block device has its own.
    copy.toLargerTarget();
    if (backed) {
      copy.withSharedBacking();
    } else if (!isUsed) {
      copy.toEmptyTarget();
    }
    if (arguments.has("-c")) {
      copy.compressed();
    }
    if (!options.isDurable()) {
      copy.withoutFlush();
    }
    if (arguments.has("-m")) {
      copy.withThreads(threads());
    }
    if (arguments.has("-W")) {
      copy.inAnyOrder();
    }
    if (arguments.has("-S")) {
      copy.withSmallestHole(ByteSize.parse(arguments.value("-S").orElse(""), 1));
    }
    if (arguments.has("-r")) {
      copy.withRate(ByteSize.parse(arguments.value("-r").orElse(""), 1));
    }
    if (arguments.has("-p") && !arguments.has("-q")) {
      copy.withProgress(new ProgressBar(console.err(), console.terminal()));
    }
    copy.run();
  }

  private int threads() throws UsageException {
    String text = arguments.value("-m").orElse("");
    if (text.length() == 1 && text.charAt(0) >= '1' && text.charAt(0) <= '9') {
      return text.charAt(0) - '0';
    }
    if (text.length() == 2 && text.compareTo("10") >= 0 && text.compareTo("16") <= 0) {
      return 10 + text.charAt(1) - '0';
    }
    throw new UsageException("-m takes 1 to 16 threads, not '" + text + "'");
  }

  private String targetFormat() throws UsageException {
    return arguments.value("-O").orElseThrow(() -> new UsageException("-O FORMAT is missing"));
  }

  private CreateOptions options(SecretObjects secrets) throws UsageException {
    ImageOptions said = ImageOptions.of(arguments, "-B", targetFormat());
    CreateOptions options =
        said.applyTo(
            CreateOptions.of(targetFormat(), 0).withReferences(ReferencePolicy.any()), secrets);
    CacheMode mode = CacheMode.of(arguments, "-t");
    options = options.withPageCache(mode.ofTarget());
    return mode.durable() ? options : options.withoutDurability();
  }

  private static void refuseSameFile(Path source, Path target) throws IOException {
    if (Files.exists(source) && Files.exists(target) && Files.isSameFile(source, target)) {
      throw new IllegalArgumentException(source + " and " + target + " are the same file");
    }
  }
}
