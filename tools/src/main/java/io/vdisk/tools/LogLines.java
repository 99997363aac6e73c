package io.vdisk.tools;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.text.MessageFormat;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * The log of the tools, which the JVM finds as a service: a line on standard error for each event,
 * with its time, its level, and the reason behind its sentence. A stack follows where this program
 * is at fault, and nowhere else. Any thread may call.
 */
public final class LogLines extends System.LoggerFinder {
  /** The JVM makes it. */
  public LogLines() {
    LocalDateTime unused = now(); // reads the file of all zones while there is a descriptor for it
  }

  private static LocalDateTime now() {
    return LocalDateTime.now(ZoneId.systemDefault());
  }

  @Override
  public System.Logger getLogger(String name, Module module) {
    return new Lines(name);
  }

  private record Lines(String name) implements System.Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      return level.getSeverity() >= Level.INFO.getSeverity() && level != Level.OFF;
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String sentence,
        @Nullable Throwable reason) {
      if (isLoggable(level)) {
        print(level, reason == null ? "" + sentence : because("" + sentence, reason));
      }
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        @Nullable Object @Nullable ... values) {
      if (isLoggable(level)) {
        boolean isFilled = format != null && values != null && values.length > 0;
        print(level, isFilled ? MessageFormat.format(format, values) : "" + format);
      }
    }

    private static void print(Level level, String said) {
      // In one piece: several processes may write to one file.
      System.err.print(String.format("%tF %<tT %s %s%n", now(), level, said));
    }
  }

  /** A sentence that may tell its reason already. */
  private static String because(String sentence, Throwable reason) {
    if (!Failures.isExpected(reason)) {
      StringWriter stack = new StringWriter();
      reason.printStackTrace(new PrintWriter(stack, true));
      return sentence + System.lineSeparator() + stack.toString().stripTrailing();
    }
    String why = Failures.sentence(reason);
    return sentence.endsWith(why) ? sentence : sentence + ": " + why;
  }
}
