package io.vdisk.tools;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The log of a daemon: a line for each event, on standard error, or in a file where that is let go
 * of. To be begun before anything is logged.
 */
final class DaemonLog {
  /** Where it is in the background, unless told otherwise. */
  static final String FILE = "/var/log/blktapd.log";

  /** The formats of java.util.logging, and of the JVM's own logger where that is missing. */
  private static final List<String> FORMATS =
      List.of("java.util.logging.SimpleFormatter.format", "jdk.system.logger.format");

  private static final String LINE = "%1$tF %1$tT %4$s %5$s%6$s%n";

  private DaemonLog() {}

  /**
   * Begins it as the words of the command line say.
   *
   * @param words of which others will complain, if they make no sense
   */
  static void begin(List<String> words) {
    FORMATS.forEach(name -> System.setProperty(name, LINE));
    int at = words.indexOf("--log");
    boolean isNamed = at >= 0 && at + 1 < words.size();
    if (isNamed || System.getenv().containsKey(Startup.VARIABLE)) {
      String file = isNamed ? words.get(at + 1) : FILE;
      try {
        PrintStream log =
            new PrintStream(new FileOutputStream(file, true), true, StandardCharsets.UTF_8);
        System.setErr(log);
      } catch (IOException e) {
        System.err.println("blktapd: no log is written to " + file + ": " + e.getMessage());
      }
    }
  }
}
