package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.ImageCommit;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code vdisk vhd coalesce}: what a differencing disk holds is written into its parent. The disk
 * itself stays as it is, so that this can be ended at any instant and run again.
 */
final class VhdCoalesceCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .value("-o", "--output")
              .value("-a", "--ancestor")
              .value("-x", "--steps")
              .flag("-s", "--sparse")
              .flag("-p", "--progress"),
          "options: <-n name> [-s sparse] [-p progress] [-h help]",
          Errno.EINVAL.number(),
          VhdCoalesceCommand::coalesce);

  private static final int SECTOR = 512;

  private VhdCoalesceCommand() {}

  private static int coalesce(Arguments arguments, Console console) throws UsageException {
    String name = VhdSyntax.name(arguments);
    for (String option : new String[] {"--output", "--ancestor", "--steps"}) {
      if (arguments.has(option)) {
        throw new UsageException(option + " was never done: the parent is what is written");
      }
    }
    Path path = Path.of(name);
    Opening opening = Opening.of(arguments, console, "vdisk");
    OpenOptions options = opening.options();
    Optional<Reference> parent;
    try (BlockDevice alone = Images.open(path, options.withoutBacking().withFormat("vhd"))) {
      parent = alone.info().backing();
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
    if (parent.isEmpty()) {
      console.out().println("coalescing of non-differencing disks is not supported");
      return Errno.EINVAL.number();
    }
    try (BackingChain.Link base =
            new BackingChain(options)
                .open(CommitCommand.writable(parent.get()), opening.writing(name));
        BlockDevice child =
            Images.open(path, options.withFormat("vhd").withBacking(base.device()))) {
      long bytes = held(child);
      ImageCommit commit = ImageCommit.of(child, base.device());
      if (arguments.has("--progress")) {
        commit.withProgress(new VhdProgress(console.out()));
      }
      var unused = commit.run();
      console.out().print("Coalesced " + bytes / SECTOR + " sectors");
      console.out().flush();
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error coalescing", e);
    }
  }

  /** Bytes that the disk holds itself. */
  static long held(BlockDevice child) throws IOException {
    long bytes = 0;
    for (Extent extent : child.extents(0, child.size())) {
      if (extent.depth() == 0 && extent.kind() != Extent.Kind.HOLE) {
        bytes += extent.length();
      }
    }
    return bytes;
  }
}
