package io.vdisk.bench.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What all processors of this machine did since it started, in seconds.
 *
 * @param busy in programs, in the kernel and in interrupts
 * @param stolen while the hypervisor ran others
 */
public record Load(double busy, double stolen) {
  private static final Path STAT = Path.of("/proc/stat");

  /** Of /proc/stat; Linux shows the same unit to programs everywhere. */
  private static final double TICKS_PER_SECOND = 100;

  private static final int USER = 1;
  private static final int NICE = 2;
  private static final int SYSTEM = 3;
  private static final int INTERRUPT = 6;
  private static final int SOFT_INTERRUPT = 7;
  private static final int STEAL = 8;

  public static Load now() throws IOException {
    return parse(Files.readAllLines(STAT));
  }

  static Load parse(List<String> stat) throws IOException {
    for (String line : stat) {
      String[] fields = line.trim().split(" +", -1);
      if (fields[0].equals("cpu") && fields.length > STEAL) {
        double busy = 0;
        for (int field : new int[] {USER, NICE, SYSTEM, INTERRUPT, SOFT_INTERRUPT}) {
          busy += Long.parseLong(fields[field]);
        }
        return new Load(busy / TICKS_PER_SECOND, Long.parseLong(fields[STEAL]) / TICKS_PER_SECOND);
      }
    }
    throw new IOException(STAT + " has no line of all processors");
  }

  public Load since(Load earlier) {
    return new Load(busy - earlier.busy, stolen - earlier.stolen);
  }
}
