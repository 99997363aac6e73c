package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.Resizing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code vdisk vhd resize}: a larger disk. Every instant of it is safe without a journal of its
 * own, so that the file of {@code -j} is not made.
 */
final class VhdResizeCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named().value("-s", "--size").value("-j", "--journal").flag("-f", "--fast"),
          "options: <-n name> <-s size (in MB)> (<-j journal>|<-f fast>) [-h help]",
          Errno.EINVAL.number(),
          VhdResizeCommand::resize);

  private VhdResizeCommand() {}

  private static int resize(Arguments arguments, Console console)
      throws IOException, UsageException {
    String name = VhdSyntax.name(arguments);
    String size =
        arguments.value("--size").orElseThrow(() -> new UsageException("-s SIZE is missing"));
    boolean isFast = arguments.has("--fast");
    if (isFast == arguments.has("--journal")) {
      throw new UsageException("either -j JOURNAL or -f is wanted");
    }
    long bytes = VhdSyntax.mebibytes(size);
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (BlockDevice disk = opening.writeAlone(Path.of(name), Optional.of("vhd"))) {
      if (bytes < disk.size()) {
        console.out().println(name + ": size (" + bytes + ") < curr size (" + disk.size() + ")");
        return Errno.EINVAL.number();
      }
      if (isFast && bytes > room(disk)) {
        console
            .err()
            .println(
                "vdisk: " + name + " has tables for " + room(disk) + " bytes; -j lets them move");
        return Errno.EINVAL.number();
      }
      disk.feature(Resizing.class).orElseThrow().resize(bytes);
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "resize failed", e);
    }
  }

  /** The size up to which the tables need not move; of a fixed disk, which has none, its own. */
  private static long room(BlockDevice disk) throws IOException {
    return VhdQueryCommand.detail(disk.info(), "max-table-entries")
        * VhdQueryCommand.detail(disk.info(), "block-size");
  }
}
