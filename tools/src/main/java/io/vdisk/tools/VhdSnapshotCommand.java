package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code vdisk vhd snapshot}: a differencing disk over another. */
final class VhdSnapshotCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .value("-p", "--parent")
              .value("-l", "--limit")
              .flag("-m", "--raw")
              .value("-S", "--metadata-size")
              .flag("-e", "--even-empty"),
          "options: <-n name> <-p parent name> [-l snapshot depth limit] [-m parent_is_raw]"
              + " [-S size (MB) for metadata preallocation (see vhd resize)]"
              + " [-e link to supplied parent name even if it's empty] [-h help]",
          0,
          VhdSnapshotCommand::snapshot);

  private VhdSnapshotCommand() {}

  /**
   * What the new disk lies over.
   *
   * @param size of the disk, bytes
   */
  private record Parent(Path path, String format, long size) {}

  private static int snapshot(Arguments arguments, Console console)
      throws IOException, UsageException {
    String name = VhdSyntax.name(arguments);
    String said =
        arguments.value("--parent").orElseThrow(() -> new UsageException("-p PARENT is missing"));
    long limit = VhdSyntax.number(arguments.value("--limit").orElse("0"));
    long metadata = VhdSyntax.mebibytes(arguments.value("--metadata-size").orElse("0"));
    Opening opening = Opening.of(arguments, console, "vdisk");
    Path path = Path.of(said).toRealPath();
    boolean isRaw = arguments.has("--raw");
    Parent parent;
    try (BlockDevice disk = opening.alone(path, Optional.of(isRaw ? "raw" : "vhd"))) {
      parent = new Parent(path, isRaw ? "raw" : "vhd", disk.size());
      if (Boolean.TRUE.equals(disk.info().details().get("encrypted"))) {
        throw new UnsupportedImageException(
            said + " is encrypted: vdisk create makes a disk over it, with --object for its key");
      }
      if (!isRaw && !arguments.has("--even-empty")) {
        parent = withData(disk, parent, opening);
      }
    }
    if (limit > 0 && parent.format().equals("vhd")) {
      int depth = depth(parent.path(), opening);
      if (depth + 1 > limit) {
        console
            .out()
            .println("snapshot depth exceeded: current depth: " + depth + ", limit: " + limit);
        return Errno.ENOSPC.number();
      }
    }
    CreateOptions options =
        CreateOptions.of("vhd", parent.size())
            .withBacking(relative(Path.of(name), parent.path()), parent.format())
            .withReferences(ReferencePolicy.any())
            .withOption("xen", "on");
    VhdCreateCommand.make(Path.of(name), VhdCreateCommand.reserving(options, metadata));
    return 0;
  }

  /** The nearest image that holds something: a chain need not be longer than its data. */
  private static Parent withData(BlockDevice disk, Parent parent, Opening opening)
      throws IOException {
    Optional<Reference> below = disk.info().backing();
    if (below.isEmpty() || allocated(disk) > 0) {
      return parent;
    }
    BackingChain chain = new BackingChain(opening.options());
    try (BackingChain.Link link = chain.open(below.get(), opening.options().withoutBacking())) {
      Path path = link.file().path().orElseThrow().toRealPath();
      String format = link.device().info().format();
      return withData(link.device(), new Parent(path, format, parent.size()), opening);
    }
  }

  /** Blocks of a disk that have their place in its file. */
  static long allocated(BlockDevice disk) throws IOException {
    return disk.feature(Checking.class).orElseThrow().check(Progress.NONE).allocatedUnits();
  }

  /** How many images a chain has. */
  static int depth(Path path, Opening opening) throws IOException {
    try (HostFile file = LocalFile.open(path, false, opening.options().isLocked());
        BlockDevice top = opening.alone(path, Optional.of("vhd"))) {
      return 1 + new BackingChain(opening.options()).references(top, file.key()).size();
    }
  }

  /** The parent's name as it counts from the folder of the child. */
  static String relative(Path child, Path parent) throws IOException {
    Path folder = child.toAbsolutePath().getParent();
    return folder == null ? parent.toString() : folder.toRealPath().relativize(parent).toString();
  }
}
