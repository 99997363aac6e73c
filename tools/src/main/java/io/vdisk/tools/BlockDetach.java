package io.vdisk.tools;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.xen.DeviceNumber;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

  private static final Path MOUNTS = Path.of("/proc/mounts");

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
    return new Arguments.Syntax().flag("-f", "--force").value("--timeout");
  }

  @Override
  Action action(Arguments arguments) throws IOException, UsageException {
    List<String> operands = arguments.operands(2, "a domain and a device");
    DeviceNumber number = DeviceNumber.parse(operands.get(1));
    boolean isForced = arguments.has("--force");
    Duration timeout = timeout(arguments);
    return (store, devices, console) -> {
      int domain = devices.domain(operands.get(0));
      if (!isForced && domain == store.ownDomain()) {
        refuseMounted(number, Files.readAllLines(MOUNTS));
      }
      devices.detach(domain, number, isForced, timeout);
    };
  }

  /**
   * Linux' front end lets go of a disk of this domain though it is mounted, and what was not
   * written yet is lost.
   *
   * @param mounts lines of {@code /proc/mounts}
   */
  static void refuseMounted(DeviceNumber number, List<String> mounts) throws DiskException {
    String name = number.linuxName();
    Pattern mounted = Pattern.compile("/dev/" + Pattern.quote(name) + "(?:[0-9]+)? (\\S+) .*");
    for (String line : mounts) {
      Matcher matcher = mounted.matcher(line);
      if (matcher.matches()) {
        throw new DiskException(
            Errno.EBUSY,
            "/dev/"
                + name
                + " is mounted at "
                + matcher.group(1)
                + "; -f takes it away all the same");
      }
    }
  }
}
