package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code vdisk create}: an empty image, or one that reads from a backing file. */
final class CreateCommand {
  static final String USAGE =
      "vdisk create [-f FORMAT] [-b BACKING -F FORMAT [-u]] [-o NAME=VALUE,... | -o help] [-q]"
          + " [--object secret,id=ID,file=PATH|data=TEXT[,format=raw|base64]] FILE [SIZE]";

  private CreateCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        new Arguments.Syntax()
            .flag("-h", "--help")
            .value("-f")
            .value("-b")
            .value("-F")
            .flag("-u")
            .value("-o")
            .flag("-q", "--quiet")
            .value("--object")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    String format = arguments.value("-f").orElse("raw");
    if (OptionsHelp.asked(arguments)) {
      OptionsHelp.of(format, console).printCreation();
      return 0;
    }
    List<String> operands = arguments.operands();
    if (operands.isEmpty() || operands.size() > 2) {
      throw new UsageException("expected FILE and SIZE, found " + operands.size() + " operands");
    }
    ImageOptions said = ImageOptions.of(arguments, "-b", format);
    String file = operands.get(0);
    Optional<Long> size = said.size();
    if (operands.size() == 2) {
      if (size.isPresent()) {
        throw new UsageException("the size of " + file + " is said twice");
      }
      size = Optional.of(ByteSize.parse(operands.get(1), 1));
    }
    checkBacking(said, file);
    boolean unsafe = arguments.has("-u");
    if (size.isEmpty() && (unsafe || said.backing().isEmpty())) {
      throw new UsageException(file + " needs a size");
    }
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      CreateOptions options =
          size.isPresent()
              ? CreateOptions.of(format, size.get())
              : CreateOptions.overlay(format, said.backing().orElse(""), null);
      options = said.applyTo(options.withReferences(ReferencePolicy.any()), secrets);
      long made = create(Path.of(file), unsafe ? options.withoutOpeningBacking() : options);
      if (!arguments.has("--quiet")) {
        console.out().println(FormattingLine.of(file, format, size.orElse(made), said));
      }
    }
    return 0;
  }

  private static void checkBacking(ImageOptions said, String file)
      throws IOException, UsageException {
    if (said.backing().isEmpty()) {
      if (said.backingFormat().isPresent()) {
        throw new UsageException("a backing format without a backing file");
      }
      return;
    }
    String backing = said.backing().get();
    if (backing.isEmpty()) {
      throw new UsageException("the name of the backing file is empty");
    }
    if (said.backingFormat().isEmpty()) {
      throw new UsageException(
          "-b needs -F with the format of " + backing + ": nobody should have to guess it");
    }
    try {
      Path image = Path.of(file);
      Path other = image.resolveSibling(backing);
      if (other.normalize().equals(image.normalize())
          || (Files.exists(image) && Files.exists(other) && Files.isSameFile(image, other))) {
        throw new UsageException(file + " cannot be its own backing file");
      }
    } catch (InvalidPathException e) {
      return; // the policy says so, if the name is looked at
    }
  }

  /** Makes the image, and returns the size of its disk. */
  private static long create(Path path, CreateOptions options) throws IOException {
    try (TargetFile file = TargetFile.of(path)) {
      long size;
      try (BlockDevice made = file.create(options)) {
        size = made.size();
        if (file.isUsed(options) && options.virtualSize().orElse(0L) > size) {
          throw new IOException(path + " has only " + size + " bytes");
        }
      } catch (IOException e) {
        throw file.named(e);
      }
      long unused = file.complete();
      return size;
    }
  }
}
