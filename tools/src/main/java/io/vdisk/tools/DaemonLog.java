package io.vdisk.tools;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the log of a daemon goes, {@link LogLines}: standard error, or a file where that is let go
 * of. To be begun before anything is logged.
 */
final class DaemonLog {
  /** The option that names the file. */
  static final String OPTION = "--log";

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
    Optional<String> file = byDefault;
    for (int i = 0; i < words.size(); i++) {
      if (words.get(i).startsWith(OPTION + "=")) {
        file = Optional.of(words.get(i).substring(OPTION.length() + 1));
      } else if (words.get(i).equals(OPTION) && i + 1 < words.size()) {
        file = Optional.of(words.get(i + 1));
      }
    }
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
