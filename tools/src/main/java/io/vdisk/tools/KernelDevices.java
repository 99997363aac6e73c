package io.vdisk.tools;

import io.vdisk.backend.tap.control.ControlException;
import io.vdisk.backend.tap.control.ErrorNumber;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the kernel says of its devices. */
final class KernelDevices {
  private static final Path DEVICES = Path.of("/proc/devices");

  private KernelDevices() {}

  /**
   * The major number of a kind of block devices.
   *
   * @throws ControlException with ENOSYS, and the words of Xen 4.1, if the kernel has no such kind
   */
  static int blockMajor(String kind) throws IOException {
    if (Files.isReadable(DEVICES)) {
      List<String> lines = Files.readAllLines(DEVICES);
      int start = lines.indexOf("Block devices:");
      for (String line : lines.subList(start + 1, lines.size())) {
        String[] words = line.strip().split(" +");
        if (start >= 0 && words.length == 2 && words[1].equals(kind)) {
          return Integer.parseInt(words[0]);
        }
      }
    }
    throw new ControlException(ErrorNumber.ENOSYS, "blktap kernel module not installed");
  }
}
