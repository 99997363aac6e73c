package io.vdisk.tools;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the kernel says of its devices. */
final class KernelDevices {
  private static final Path DEVICES = Path.of("/proc/devices");

  private static final Pattern DEVICE = Pattern.compile(" *([0-9]{1,4}) (\\S+)");

  private KernelDevices() {}

  /**
   * The major number of a kind of block devices.
   *
   * @throws DiskException with ENOSYS, and the words of Xen 4.1, if the kernel has no such kind
   */
  static int blockMajor(String kind) throws IOException {
    if (Files.isReadable(DEVICES)) {
      List<String> lines = Files.readAllLines(DEVICES);
      int start = lines.indexOf("Block devices:");
      for (String line : lines.subList(start + 1, lines.size())) {
        Matcher device = DEVICE.matcher(line);
        if (start >= 0 && device.matches() && device.group(2).equals(kind)) {
          return Integer.parseInt(device.group(1));
        }
      }
    }
    throw new DiskException(Errno.ENOSYS, "blktap kernel module not installed");
  }
}
