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
 * @param own of that what is busy for this process, and for its children that have ended
 */
public record Load(double busy, double stolen, double own) {
  private static final Path STAT = Path.of("/proc/stat");
  private static final Path OWN = Path.of("/proc/self/stat");

  /** Of both files; Linux shows the same unit to programs everywhere. */
  private static final double TICKS_PER_SECOND = 100;

  /** After the word "cpu": user, nice, system, then after idle and waiting the interrupts. */
  private static final int[] BUSY = {1, 2, 3, 6, 7};

  private static final int STOLEN = 8;

  /** After the name in brackets: user and system, its own and its children's. */
  private static final int[] OWN_TIMES = {11, 12, 13, 14};

  public static Load now() throws IOException {
    return parse(Files.readAllLines(STAT), Files.readString(OWN));
  }

  static Load parse(List<String> stat, String own) throws IOException {
    for (String line : stat) {
      String[] fields = line.trim().split(" +", -1);
      if (fields[0].equals("cpu") && fields.length > STOLEN) {
        String[] ofProcess = own.substring(own.lastIndexOf(')') + 1).trim().split(" +", -1);
        return new Load(
            seconds(fields, BUSY), seconds(fields, STOLEN), seconds(ofProcess, OWN_TIMES));
      }
    }
    throw new IOException(STAT + " has no line of all processors");
  }

  private static double seconds(String[] fields, int... which) {
    long ticks = 0;
    for (int field : which) {
      ticks += Long.parseLong(fields[field]);
    }
    return ticks / TICKS_PER_SECOND;
  }

  public Load since(Load earlier) {
    return new Load(busy - earlier.busy, stolen - earlier.stolen, own - earlier.own);
  }

  /** What others took. */
  public double foreign() {
    return Math.max(0, busy - own);
  }
}
