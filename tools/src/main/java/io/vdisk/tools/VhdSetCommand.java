package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Progress;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.Amending;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** {@code vdisk vhd set}: the two fields that Xen added for its storage manager. */
final class VhdSetCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named().value("-f", "--field").value("-v", "--value"),
          "options: <-n name> <-f field> <-v value> [-h help]",
          Errno.EINVAL.number(),
          VhdSetCommand::set);

  private static final int MOST = 255;

  private VhdSetCommand() {}

  private static int set(Arguments arguments, Console console) throws UsageException {
    String name = VhdSyntax.name(arguments);
    String field =
        arguments.value("--field").orElseThrow(() -> new UsageException("-f FIELD is missing"));
    String text =
        arguments.value("--value").orElseThrow(() -> new UsageException("-v VALUE is missing"));
    if (!field.equals("hidden") && !field.equals("marker")) {
      console.out().println("invalid field " + field);
      return Errno.EINVAL.number();
    }
    long value = VhdSyntax.number(text);
    if (value > MOST) {
      console.out().println("invalid value " + value);
      return Errno.EINVAL.number();
    }
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (BlockDevice disk = opening.writeAlone(Path.of(name), Optional.of("vhd"))) {
      Amending amending = disk.feature(Amending.class).orElseThrow();
      amending.amend(Map.of(field, Long.toString(value)), Progress.NONE);
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
  }
}
