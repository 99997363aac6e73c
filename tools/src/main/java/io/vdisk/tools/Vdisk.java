package io.vdisk.tools;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** The command {@code vdisk}: option letters and exit codes are those of qemu-img. */
public final class Vdisk {
  private static final String USAGE =
      "vdisk COMMAND [OPTIONS]; COMMAND is one of amend, bitmap, check, commit, convert, create, info,"
          + " map, measure, rebase, resize, snapshot, vhd; see vdisk COMMAND --help";

  private Vdisk() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(run(Arrays.asList(args), Console.system()));
  }

  static int run(List<String> words, Console console) {
    try {
      if (words.isEmpty()) {
        throw new UsageException("a command is missing");
      }
      List<String> rest = words.subList(1, words.size());
      return switch (words.get(0)) {
        case "info" -> InfoCommand.run(rest, console);
        case "convert" -> ConvertCommand.run(rest, console);
        case "check" -> CheckCommand.run(rest, console);
        case "create" -> CreateCommand.run(rest, console);
        case "snapshot" -> SnapshotCommand.run(rest, console);
        case "resize" -> ResizeCommand.run(rest, console);
        case "commit" -> CommitCommand.run(rest, console);
        case "rebase" -> RebaseCommand.run(rest, console);
        case "amend" -> AmendCommand.run(rest, console);
        case "measure" -> MeasureCommand.run(rest, console);
        case "bitmap" -> BitmapCommand.run(rest, console);
        case "vhd" -> VhdCommand.run(rest, console);
        case "map" -> MapCommand.run(rest, console);
        case "-h", "--help", "help" -> {
          console.out().println("usage: " + USAGE);
          yield 0;
        }
        case "-V", "--version" -> {
          console.out().println("vdisk " + Help.version());
          yield 0;
        }
        default -> throw new UsageException("there is no command '" + words.get(0) + "'");
      };
    } catch (UsageException e) {
      console.err().println("vdisk: " + e.getMessage() + " (see vdisk --help)");
      return 1;
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "vdisk", e);
      return 1;
    }
  }
}
