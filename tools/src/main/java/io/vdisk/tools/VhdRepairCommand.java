package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Progress;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code vdisk vhd repair}: both footers are written again, from the one that is whole. */
final class VhdRepairCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named().flag("-b", "--backup"),
          "options: <-n name> [-b use the back-up footer] [-h help]",
          Errno.EINVAL.number(),
          VhdRepairCommand::repair);

  private VhdRepairCommand() {}

  /** Which footer is whole shows by itself: {@code -b} changes nothing. */
  private static int repair(Arguments arguments, Console console) throws UsageException {
    String name = VhdSyntax.name(arguments);
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (BlockDevice disk = opening.repair(Path.of(name), Optional.of("vhd"))) {
      CheckReport report =
          disk.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
      report.findings().forEach(finding -> console.err().println("vdisk: " + finding.message()));
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
  }
}
