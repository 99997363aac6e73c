package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.feature.Snapshots;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code vdisk snapshot}: lists, makes, applies and deletes the snapshots inside an image. */
final class SnapshotCommand {
  static final String USAGE =
      "vdisk snapshot [-l | -a SNAPSHOT | -c NAME | -d NAME] [-f FORMAT] [-U] [-q]"
          + " [--object SECRET] [--source-secret ID] [--image-opts] FILE";

  private SnapshotCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .flag("-l")
            .value("-a")
            .value("-c")
            .value("-d")
            .flag("-q", "--quiet")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    int actions = 0;
    for (String letter : new String[] {"-l", "-a", "-c", "-d"}) {
      actions += arguments.has(letter) ? Math.max(1, arguments.values(letter).size()) : 0;
    }
    if (actions > 1) {
      throw new UsageException("-l, -a, -c and -d cannot be mixed");
    }
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      if (actions == 0 || arguments.has("-l")) {
        list(opening, image, arguments.has("--quiet"), console);
      } else {
        change(opening, image, arguments);
      }
    }
    return 0;
  }

  private static void list(Opening opening, NamedImage image, boolean quiet, Console console)
      throws IOException {
    try (BlockDevice device = opening.alone(image.path(), image.format())) {
      Optional<Snapshots> snapshots = device.feature(Snapshots.class);
      if (snapshots.isPresent() && !quiet) {
        SnapshotTable.print(snapshots.get().list(), console.out());
      }
    }
  }

  private static void change(Opening opening, NamedImage image, Arguments arguments)
      throws IOException, UsageException {
    Optional<String> applied = arguments.value("-a");
    Optional<String> created = arguments.value("-c");
    try (BlockDevice device = opening.writeAlone(image.path(), image.format())) {
      Snapshots snapshots = NamedSnapshot.feature(device, image.file());
      if (created.isPresent()) {
        Snapshots.Snapshot unused = snapshots.create(created.get());
      } else if (applied.isPresent()) {
        snapshots.apply(NamedSnapshot.find(snapshots, applied.get(), image.file()));
      } else {
        String name = arguments.value("-d").orElse("");
        snapshots.delete(NamedSnapshot.named(snapshots, name, image.file()));
      }
    }
  }
}
