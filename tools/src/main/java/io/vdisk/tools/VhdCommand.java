package io.vdisk.tools;

import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.List;

/**
 * {@code vdisk vhd COMMAND}: what Xen's {@code vhd-util} does, with its letters, its lines on
 * standard output and its exit codes, which are numbers of errors. A sentence that says more goes
 * to standard error.
 */
final class VhdCommand {
  static final String USAGE =
      "usage: vdisk vhd COMMAND [OPTIONS]\n"
          + "COMMAND := { create | snapshot | query | set | repair | resize | fill | coalesce |"
          + " modify | scan | check | revert }";

  private VhdCommand() {}

  /** One command. */
  @FunctionalInterface
  interface Body {
    /** Runs it; its exit code. */
    int run(Arguments arguments, Console console) throws IOException, UsageException;
  }

  static int run(List<String> words, Console console) {
    String name = words.isEmpty() ? "" : words.get(0);
    List<String> rest =
        words.stream().skip(1).filter(word -> !word.equals("--debug")).toList(); // nothing to say
    return switch (name) {
      case "create" -> VhdCreateCommand.COMMAND.run(rest, console);
      case "snapshot" -> VhdSnapshotCommand.COMMAND.run(rest, console);
      case "query" -> VhdQueryCommand.COMMAND.run(rest, console);
      case "set" -> VhdSetCommand.COMMAND.run(rest, console);
      case "repair" -> VhdRepairCommand.COMMAND.run(rest, console);
      case "resize" -> VhdResizeCommand.COMMAND.run(rest, console);
      case "fill" -> VhdFillCommand.COMMAND.run(rest, console);
      case "coalesce" -> VhdCoalesceCommand.COMMAND.run(rest, console);
      case "modify" -> VhdModifyCommand.COMMAND.run(rest, console);
      case "scan" -> VhdScanCommand.COMMAND.run(rest, console);
      case "revert" -> VhdRevertCommand.COMMAND.run(rest, console);
      case "check" -> VhdCheckCommand.COMMAND.run(rest, console);
      case "-h", "--help" -> {
        console.out().println(USAGE);
        yield 0;
      }
      default -> {
        console.err().println("invalid COMMAND " + name);
        console.out().println(USAGE);
        yield Errno.EINVAL.number();
      }
    };
  }
}
