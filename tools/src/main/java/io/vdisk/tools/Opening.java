package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.Match;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.Secrets;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.PageCache;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** How a command opens the images that its user names. */
final class Opening {
  static final String VARIABLE = "VDISK_BACKING_POLICY";
  private static final String WITHIN = "within=";

  private final Console console;
  private final String program;
  private final OpenOptions options;

  private Opening(Console console, String program, OpenOptions options) {
    this.console = console;
    this.program = program;
    this.options = options;
  }

  /** The options that every command knows which opens an image. */
  static Arguments.Syntax syntax() {
    return new Arguments.Syntax()
        .flag("-h", "--help")
        .value("-f")
        .value("-F")
        .flag("-U", "--force-share")
        .value("--backing-policy")
        .value("--object")
        .value("--source-secret")
        .value("-t")
        .flag("--image-opts");
  }

  static Opening of(Arguments arguments, Console console, String program) throws UsageException {
    Optional<String> said =
        arguments
            .value("--backing-policy")
            .or(() -> Optional.ofNullable(console.environment().get(VARIABLE)));
    OpenOptions options = OpenOptions.readOnly().withReferences(policy(said.orElse("")));
    if (arguments.has("--force-share")) {
      options = options.withoutLock();
    }
    CacheMode mode = CacheMode.of(arguments, "-t");
    options = options.withPageCache(mode.pageCache());
    return new Opening(console, program, mode.durable() ? options : options.withoutDurability());
  }

  /** The same with passphrases for the image, and for those below it. */
  Opening with(Secrets secrets) {
    return new Opening(console, program, options.withSecrets(secrets));
  }

  /** The same where an image may name this file, too: the user has named it, which is consent. */
  Opening consentingTo(String name) {
    ReferencePolicy others = options.references();
    return new Opening(
        console,
        program,
        options.withReferences(
            reference ->
                reference.name().equals(name)
                    ? ReferencePolicy.any().open(reference)
                    : others.open(reference)));
  }

  /** The same with this for the page cache. */
  Opening with(PageCache cache) {
    return new Opening(console, program, options.withPageCache(cache));
  }

  static ReferencePolicy policy(String name) throws UsageException {
    if (name.startsWith(WITHIN) && name.length() > WITHIN.length()) {
      return ReferencePolicy.within(Path.of(name.substring(WITHIN.length())));
    }
    return switch (name) {
      case "", "same-directory" -> ReferencePolicy.sameDirectory();
      case "deny" -> ReferencePolicy.deny();
      case "any" -> ReferencePolicy.any();
      default ->
          throw new UsageException(
              "the backing policy is deny, same-directory, within=DIR or any, not '" + name + "'");
    };
  }

  /** Opens an image for reading, with what it names. */
  BlockDevice read(Path file, Optional<String> format, Optional<String> backingFormat)
      throws IOException {
    return open(
        file,
        format(file, format),
        backingFormat.isPresent() ? options.withBackingFormat(backingFormat.get()) : options);
  }

  /** Opens an image to look at its own metadata: what it names is left alone. */
  BlockDevice alone(Path file, Optional<String> format) throws IOException {
    return open(file, format(file, format), options.withoutBacking());
  }

  /** Opens an image for writing, with what it names. */
  BlockDevice write(Path file, Optional<String> format) throws IOException {
    return open(file, known(file, format), writing(file.toString()));
  }

  /** Opens an image to change its own metadata. */
  BlockDevice writeAlone(Path file, Optional<String> format) throws IOException {
    return open(file, known(file, format), writing(file.toString()).withoutBacking());
  }

  /** Opens an image to mend its metadata. */
  BlockDevice repair(Path file, Optional<String> format) throws IOException {
    return open(file, known(file, format), writing(file.toString()).forRepair().withoutBacking());
  }

  /** How an image is opened for writing. Two that do would destroy it: -U is refused. */
  OpenOptions writing(String name) throws IOException {
    if (!options.isLocked()) {
      throw new IOException(name + " is to be changed: -U goes with images that are only read");
    }
    return options.asReadWrite();
  }

  /** How images are opened for reading. */
  OpenOptions options() {
    return options;
  }

  /** A guest can write any header into a raw disk: what is written to must be known. */
  private Optional<String> known(Path file, Optional<String> format) throws IOException {
    if (format.isPresent()) {
      return format;
    }
    List<Match> matches = Images.probe(file, options);
    if (matches.stream().noneMatch(Opening::isSure)) {
      throw new UnsupportedImageException(
          file + " is in no known format, and not changed before -f says its format (perhaps raw)");
    }
    return only(matches);
  }

  /**
   * The format as which a file is read: the one that was said, or that of its magic number. What
   * has none is raw, as nothing is written to it, and the user is told. Empty if it may be two,
   * which opening it refuses.
   */
  Optional<String> format(Path file, Optional<String> said) throws IOException {
    if (said.isPresent()) {
      return said;
    }
    List<Match> matches = Images.probe(file, options);
    if (matches.stream().anyMatch(Opening::isSure)) {
      return only(matches);
    }
    console
        .err()
        .println(program + ": " + file + " is in no known format and read as raw; -f raw says so");
    return Optional.of("raw");
  }

  /** The surest format, if no other is as sure. */
  private static Optional<String> only(List<Match> matches) {
    boolean isDoubtful = matches.size() > 1 && matches.get(0).probe() == matches.get(1).probe();
    return isDoubtful ? Optional.empty() : Optional.of(matches.get(0).format().name());
  }

  /** The format of a file, if it has a magic number. */
  static Optional<String> probe(Path file) throws IOException {
    return sureFormat(Images.probe(file, OpenOptions.readOnly()));
  }

  /** The format that is known by more than that nothing speaks against it. */
  static Optional<String> sureFormat(List<Match> matches) {
    return matches.stream().filter(Opening::isSure).findFirst().map(match -> match.format().name());
  }

  private static BlockDevice open(Path file, Optional<String> format, OpenOptions how)
      throws IOException {
    return Images.open(file, format.isPresent() ? how.withFormat(format.get()) : how);
  }

  private static boolean isSure(Match match) {
    return match.probe() != Probe.WEAK;
  }
}
