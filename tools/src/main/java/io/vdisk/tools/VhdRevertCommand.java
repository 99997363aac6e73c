package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.JournalReplay;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code vdisk vhd revert}: a resize by Xen's tools that was cut off is undone. */
final class VhdRevertCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named().value("-j", "--journal"),
          "options: <-n name> <-j journal> [-h help]",
          Errno.EINVAL.number(),
          VhdRevertCommand::revert);

  private VhdRevertCommand() {}

  private static int revert(Arguments arguments, Console console) throws UsageException {
    String name = VhdSyntax.name(arguments);
    String journal =
        arguments.value("--journal").orElseThrow(() -> new UsageException("-j is missing"));
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (HostFile file = LocalFile.open(Path.of(journal), false);
        BlockDevice disk = opening.repair(Path.of(name), Optional.of("vhd"))) {
      disk.feature(JournalReplay.class).orElseThrow().replay(file);
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error reverting " + name, e);
    }
  }
}
