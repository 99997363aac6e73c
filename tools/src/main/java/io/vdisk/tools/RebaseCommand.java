package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.BackingLink;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code vdisk rebase}: another backing file, or none, under a disk that reads as before. */
final class RebaseCommand {
  static final String USAGE =
      "vdisk rebase -b BACKING [-F FORMAT] [-u] [-p] [-q] [-f FORMAT] [-t CACHE] [-U]"
          + " [--backing-policy=POLICY] [--object SECRET] [--source-secret ID] [--image-opts]"
          + " FILE; -b '' makes FILE stand alone, -u changes nothing but the name";

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final NamedImage image;
  private final String backing;
  private final Optional<String> format;

  private RebaseCommand(Arguments arguments, Console console, Opening opening, NamedImage image) {
    this.arguments = arguments;
    this.console = console;
    this.opening = opening;
    this.image = image;
    this.backing = arguments.value("-b").orElse("");
    this.format = arguments.value("-F");
  }

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-b")
            .flag("-u")
            .flag("-p")
            .value("-T")
            .flag("-q", "--quiet")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    if (!arguments.has("-b") && !arguments.has("-u")) {
      throw new UsageException("-b BACKING is missing; with -u it may be");
    }
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      opening = opening.consentingTo(arguments.value("-b").orElse(""));
      RebaseCommand command = new RebaseCommand(arguments, console, opening, image);
      command.checkFormat();
      if (arguments.has("-u")) {
        command.rename();
      } else {
        command.rebase();
      }
    }
    return 0;
  }

  private void checkFormat() throws UsageException {
    if (backing.isEmpty()) {
      return;
    }
    if (format.isEmpty()) {
      throw new UsageException(
          "-b needs -F with the format of " + backing + ": nobody should have to guess it");
    }
    for (io.vdisk.spi.ImageFormat known : Images.formats()) {
      if (known.name().equals(format.get()) || known.aliases().contains(format.get())) {
        return;
      }
    }
    throw new UsageException("there is no format '" + format.get() + "'");
  }

  private void rename() throws IOException {
    try (BlockDevice device = opening.writeAlone(image.path(), image.format())) {
      Optional<BackingLink> link = device.feature(BackingLink.class);
      if (link.isEmpty()) {
        throw new UnsupportedImageException(
            image.file()
                + ": "
                + device.info().format()
                + " images cannot be given another backing file");
      }
      if (backing.isEmpty()) {
        link.get().change(Optional.empty(), Optional.empty());
      } else {
        link.get().change(Optional.of(backing), format);
      }
    }
  }

  private void rebase() throws IOException, UsageException {
    if (backing.isEmpty()) {
      try (BlockDevice overlay = opening.write(image.path(), image.format())) {
        run(ImageRebase.flattening(overlay));
      }
      return;
    }
    OpenOptions options = opening.options().withFormat(format.orElse("raw"));
    try (HostFile file = newBacking();
        BlockDevice below = Images.open(file, options);
        BlockDevice overlay = opening.write(image.path(), image.format())) {
      run(ImageRebase.of(overlay, below, backing, format));
    }
  }

  /** The user names it, which is consent; the name counts from the folder of the image. */
  private HostFile newBacking() throws IOException, UsageException {
    try (HostFile from = LocalFile.open(image.path(), false, opening.options().isLocked())) {
      HostFile file = ReferencePolicy.any().open(reference(from));
      if (file.key().equals(from.key())) {
        file.close();
        throw new UsageException(image.file() + " cannot be its own backing file");
      }
      return file;
    }
  }

  private Reference reference(HostFile from) {
    return new Reference(Reference.Kind.BACKING, backing, format, from, false);
  }

  private void run(ImageRebase rebase) throws IOException {
    if (arguments.has("-p") && !arguments.has("--quiet")) {
      rebase.withProgress(new ProgressBar(console.err(), console.terminal()));
    }
    long unused = rebase.run();
  }
}
