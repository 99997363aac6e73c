package io.vdisk.tools;

import io.vdisk.backend.tap.xen.GuestDevices;
import java.util.Arrays;
import java.util.List;

/** The command {@code block-list}, with xl's columns and the image behind. */
public final class BlockList extends BlockCommand {
  private static final String HELP =
      """

      Lists the disks of a guest, whatever serves them, by number or name; 0 is Dom0 itself.
            --version      prints the version
      Exit codes: 0 done, else the number of the error.""";

  private static final String LINE = "%-9s %-3s %-6s %-5s %-6s %-8s %-40s %s%n";

  private BlockList() {
    super("block-list", "DOMAIN", HELP);
  }

  /** Lists and ends the process with an exit code. */
  public static void main(String[] args) {
    System.exit(run(Console.system(), Arrays.asList(args)));
  }

  static int run(Console console, List<String> words) {
    return new BlockList().run(words, console);
  }

  @Override
  Arguments.Syntax syntax() {
    return new Arguments.Syntax();
  }

  @Override
  Action action(Arguments arguments) throws UsageException {
    String name = arguments.operands(1, "a domain").get(0);
    return (store, devices, console) -> {
      int domain = devices.domain(name);
      print(devices.list(domain), domain, console);
    };
  }

  private static void print(List<GuestDevices.Line> lines, int domain, Console console) {
    console
        .out()
        .printf(LINE, "Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path", "params");
    for (GuestDevices.Line line : lines) {
      console
          .out()
          .printf(
              LINE,
              line.number().value(),
              line.host(),
              domain,
              line.frontState(),
              line.port(),
              line.grant(),
              line.backPath(),
              line.params());
    }
  }
}
