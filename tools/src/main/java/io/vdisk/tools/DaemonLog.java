package io.vdisk.tools;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The log of a daemon: a line for each event, on standard error, or in a file where that is let go
 * of. To be begun before anything is logged.
 */
final class DaemonLog {
  /** The option that names the file. */
  static final String OPTION = "--log";

  /** The formats of java.util.logging, and of the JVM's own logger where that is missing. */
  private static final List<String> FORMATS =
      List.of("java.util.logging.SimpleFormatter.format", "jdk.system.logger.format");

  private static final String LINE = "%1$tF %1$tT %4$s %5$s%6$s%n";

  private DaemonLog() {}

  /** The file of a daemon that is not told where: it has one in the background. */
  static Optional<String> byDefault(String program, Map<String, String> environment) {
    return environment.containsKey(Startup.VARIABLE)
        ? Optional.of("/var/log/" + program + ".log")
        : Optional.empty();
  }

  /**
   * Begins it as the words of the command line say.
   *
   * @param words of which others will complain, if they make no sense
   * @param byDefault the file where they name none; empty: standard error, while that is there
   */
  static void begin(String program, List<String> words, Optional<String> byDefault) {
    FORMATS.forEach(name -> System.setProperty(name, LINE));
    int at = words.indexOf(OPTION);
    boolean isNamed = at >= 0 && at + 1 < words.size();
    Optional<String> file = isNamed ? Optional.of(words.get(at + 1)) : byDefault;
    file.ifPresent(name -> turnTo(name, program));
  }

  private static void turnTo(String file, String program) {
    try {
      BoundedLog log = new BoundedLog(new FileOutputStream(file, true));
      System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    } catch (IOException e) {
      System.err.println(program + ": no log is written to " + file + ": " + e.getMessage());
    }
  }
}
