package io.vdisk.tools;

import io.vdisk.backend.tap.xen.BackendDevice;
import io.vdisk.backend.tap.xen.DeviceNumber;
import io.vdisk.backend.tap.xen.ImageName;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** The command {@code block-attach}, as {@code xm block-attach} was: a guest gets a disk. */
public final class BlockAttach extends BlockCommand {
  private static final String HELP =
      """

      Gives a running guest a disk, which blktapd serves, and waits until the guest has it.
        DOMAIN     the guest, by number or name; 0 is Dom0 itself
        BACKDEV    the image: tap:aio:/FILE, tap:qcow2:/FILE, vhd:/FILE, phy:DEVICE, ram:64M ...
        FRONTDEV   the guest's device: xvda, /dev/xvda1, hdc:cdrom, 51712 ...
        MODE       r read-only, w writable, w! writable whoever else writes
        BACKDOMAIN where blktapd runs (default: this domain)
        --type TYPE        of the back end: vdisk, or vbd3 for a disk that xentop shows (from Xen
                           4.19 on, and where no tapback runs)
        --timeout SECONDS  how long is waited for the guest (default 60)
            --version      prints the version
      Exit codes: 0 done, else the number of the error: 2 there is no store, 11 not in that time, 5
      blktapd cannot serve it, and the sentence says why.""";

  /** What may be said: not QEMU's, whose disks xl removes. */
  private static final List<String> TYPES = List.of(BackendDevice.VDISK, BackendDevice.VBD3);

  private BlockAttach() {
    super("block-attach", "DOMAIN BACKDEV FRONTDEV MODE [BACKDOMAIN]", HELP);
  }

  /** Attaches a disk and ends the process with an exit code. */
  public static void main(String[] args) {
    System.exit(run(Console.system(), Arrays.asList(args)));
  }

  static int run(Console console, List<String> words) {
    return new BlockAttach().run(words, console);
  }

  @Override
  Arguments.Syntax syntax() {
    return new Arguments.Syntax().value("--type").value("--timeout");
  }

  @Override
  Action action(Arguments arguments) throws IOException, UsageException {
    List<String> operands = arguments.operands();
    if (operands.size() < 4 || operands.size() > 5) {
      throw new UsageException("expected 4 or 5 operands, found " + operands.size());
    }
    String image = ImageName.of(operands.get(1));
    String device = operands.get(2);
    boolean isCdrom = device.endsWith(":cdrom");
    DeviceNumber number = DeviceNumber.parse(device.replaceFirst(":(cdrom|disk)$", ""));
    String mode = mode(operands.get(3));
    String type = type(arguments);
    Duration timeout = timeout(arguments);
    return (store, devices, console) -> {
      int domain = devices.domain(operands.get(0));
      int host = operands.size() == 5 ? devices.domain(operands.get(4)) : store.ownDomain();
      BackendDevice made = devices.attach(host, type, domain, number, image, mode, isCdrom);
      devices.awaitConnection(made, timeout);
    };
  }

  private static String type(Arguments arguments) throws UsageException {
    String type = arguments.value("--type").orElse(BackendDevice.VDISK);
    if (!TYPES.contains(type)) {
      throw new UsageException("--type is " + String.join(" or ", TYPES) + ", not '" + type + "'");
    }
    return type;
  }

  private static String mode(String said) throws UsageException {
    return switch (said) {
      case "r", "ro" -> "r";
      case "w", "rw" -> "w";
      case "w!" -> said;
      default -> throw new UsageException("the mode is r, w or w!, not '" + said + "'");
    };
  }
}
