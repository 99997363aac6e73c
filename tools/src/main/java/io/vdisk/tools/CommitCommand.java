package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageCommit;
import io.vdisk.ImageCopy;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** {@code vdisk commit}: writes what an overlay holds into its backing file, or a lower one. */
final class CommitCommand implements Closeable {
  static final String USAGE =
      "vdisk commit [-b BASE] [-r RATE] [-d] [-p] [-q] [-f FORMAT] [-t CACHE] [--backing-policy=POLICY]"
          + " [--object SECRET] [--source-secret ID] [--image-opts] FILE\n"
          + "RATE: bytes of data that are written in a second at most, as 20M";

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final NamedImage image;
  private final Deque<Closeable> opened = new ArrayDeque<>();

  private CommitCommand(Arguments arguments, Console console, Opening opening, NamedImage image) {
    this.arguments = arguments;
    this.console = console;
    this.opening = opening;
    this.image = image;
  }

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-b")
            .value("-r")
            .flag("-d")
            .flag("-p")
            .flag("-q", "--quiet")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      try (CommitCommand command = new CommitCommand(arguments, console, opening, image)) {
        command.commit();
      }
    }
    if (!arguments.has("--quiet")) {
      console.out().println("Image committed.");
    }
    return 0;
  }

  private void commit() throws IOException, UsageException {
    List<Reference> below = below();
    OpenOptions options = opening.options();
    OpenOptions writing = opening.writing(image.file());
    BackingChain chain = new BackingChain(options);
    int last = below.size() - 1;
    BackingChain.Link base = chain.open(writable(below.get(last)), writing);
    opened.push(base);
    BlockDevice device = base.device();
    for (int i = last - 1; i >= 0; i--) {
      BackingChain.Link link = chain.open(below.get(i), options.withBacking(device));
      opened.push(link);
      device = link.device();
    }
    // As for qemu-img: with -b the overlay goes on as it is, above images that no longer fit it.
    boolean emptying = !arguments.has("-d") && !arguments.has("-b");
    OpenOptions top = emptying ? writing : options;
    if (image.format().isPresent()) {
      top = top.withFormat(image.format().get());
    }
    BlockDevice overlay = Images.open(image.path(), top.withBacking(device));
    opened.push(overlay);
    ImageCommit commit = ImageCommit.of(overlay, base.device()).through(last);
    if (emptying) {
      commit = commit.emptyingOverlay();
    }
    if (arguments.has("-r")) {
      commit = commit.withRate(ByteSize.parse(arguments.value("-r").orElse(""), 1));
    }
    if (arguments.has("-p") && !arguments.has("--quiet")) {
      commit = commit.withProgress(new ProgressBar(console.err(), console.terminal()));
    }
    ImageCopy.Result unused = commit.run();
  }

  static Reference writable(Reference reference) {
    return new Reference(
        reference.kind(), reference.name(), reference.format(), reference.from(), true);
  }

  /** The references from the image down to the base. */
  private List<Reference> below() throws IOException {
    Optional<String> wanted = arguments.value("-b");
    List<Reference> all = new ArrayList<>();
    int[] found = {wanted.isPresent() ? 0 : 1};
    try (HostFile file = LocalFile.open(image.path(), false, opening.options().isLocked());
        BlockDevice top = opening.alone(image.path(), image.format())) {
      new BackingChain(opening.options())
          .walk(
              top,
              file.key(),
              (reference, link) -> {
                all.add(reference);
                if (found[0] == 0 && wanted.isPresent() && isMeant(wanted.get(), reference, link)) {
                  found[0] = all.size();
                }
              });
    }
    if (all.isEmpty()) {
      throw new IOException(image.file() + " has no backing file");
    }
    if (found[0] == 0) {
      throw new IOException(
          wanted.orElse("") + " is not in the chain of backing files of " + image.file());
    }
    return all.subList(0, found[0]);
  }

  private static boolean isMeant(String wanted, Reference reference, BackingChain.Link link)
      throws IOException {
    if (reference.name().equals(wanted)) {
      return true;
    }
    Path path = Path.of(wanted);
    Optional<Path> place = link.file().path();
    return place.isPresent() && Files.exists(path) && Files.isSameFile(path, place.get());
  }

  /** From the overlay down; all, whatever fails. */
  @Override
  public void close() throws IOException {
    if (!opened.isEmpty()) {
      try (Closeable next = opened.pop();
          CommitCommand rest = this) {
        assert next != rest;
      }
    }
  }
}
