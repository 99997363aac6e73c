package io.vdisk.tools;

import io.vdisk.backend.tap.xen.DeviceNumber;
import io.vdisk.backend.tap.xen.GuestDevices;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** The command {@code block-detach}, as {@code xm block-detach} was: a guest loses a disk. */
public final class BlockDetach extends BlockCommand {
  private static final String HELP =
      """

      Takes a disk from a guest: waits until the guest has let go of it, and blktapd has closed it.
        DOMAIN     the guest, by number or name; 0 is Dom0 itself
        DEVID      the guest's device: xvda, 51712 ...
        -f, --force        does not wait, and takes it away from under the guest
        --timeout SECONDS  how long is waited for the guest (default 60)
            --version      prints the version
      Exit codes: 0 done, else the number of the error.""";

  private BlockDetach() {
    super("block-detach", "[-f] DOMAIN DEVID", HELP);
  }

  /** Detaches a disk and ends the process with an exit code. */
  public static void main(String[] args) {
    System.exit(run(Console.system(), Arrays.asList(args)));
  }

  static int run(Console console, List<String> words) {
    return new BlockDetach().run(words, console);
  }

  @Override
  Arguments.Syntax syntax() {
    return new Arguments.Syntax().flag("-f", "--force");
  }

  @Override
  void run(Arguments arguments, XenStore store, GuestDevices devices, Console console)
      throws IOException, UsageException {
    List<String> operands = arguments.operands(2, "a domain and a device");
    int domain = devices.domain(operands.get(0));
    DeviceNumber number = DeviceNumber.parse(operands.get(1));
    devices.detach(domain, number, arguments.has("--force"), timeout(arguments));
  }
}
