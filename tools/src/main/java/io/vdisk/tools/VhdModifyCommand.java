package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.Emptying;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code vdisk vhd modify}: another parent, or no data any longer. What is read then may change.
 */
final class VhdModifyCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named().value("-p", "--parent").flag("-m", "--raw").flag("-z", "--zero"),
          "*** Dangerous operations, use with care ***\n"
              + "options: <-n name> [-p NEW_PARENT set parent [-m raw]] [-z zero (kill data)]"
              + " [-h help]",
          Errno.EINVAL.number(),
          VhdModifyCommand::modify);

  private VhdModifyCommand() {}

  private static int modify(Arguments arguments, Console console) throws UsageException {
    String name = VhdSyntax.name(arguments);
    Path path = Path.of(name);
    Opening opening = Opening.of(arguments, console, "vdisk");
    int code = 0;
    try (BlockDevice disk = opening.writeAlone(path, Optional.of("vhd"))) {
      if (arguments.has("--zero")) {
        code = empty(disk, console);
      }
      Optional<String> parent = arguments.value("--parent");
      if (parent.isPresent()) {
        code = link(disk, path, parent.get(), arguments.has("--raw"), console);
      }
      return code;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
  }

  private static int empty(BlockDevice disk, Console console) {
    Optional<Emptying> emptying = disk.feature(Emptying.class);
    if (emptying.isEmpty()) {
      console.out().println("failed to zero VHD: " + -Errno.ENOSYS.number());
      return Errno.ENOSYS.number();
    }
    try {
      emptying.get().empty();
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "failed to zero VHD", e);
    }
  }

  private static int link(
      BlockDevice disk, Path path, String parent, boolean isRaw, Console console) {
    String what = "failed to set parent to '" + parent + "'";
    Optional<BackingLink> link = disk.feature(BackingLink.class);
    if (link.isEmpty()) {
      console.out().println(what + ": " + -Errno.EINVAL.number());
      return Errno.EINVAL.number();
    }
    try {
      String name = VhdSnapshotCommand.relative(path, Path.of(parent).toRealPath());
      link.get().change(Optional.of(name), Optional.of(isRaw ? "raw" : "vhd"));
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, what, e);
    }
  }
}
