package io.vdisk.tools;

import java.io.PrintStream;

/**
 * How a process that serves tells that it is ready. In the foreground it prints a line. In the
 * background its launcher waits for a line with an exit code and what to print, and the process
 * then lets go of all that it inherited: whoever started the launcher would wait for the end of its
 * streams otherwise.
 */
final class Startup {
  /** The variable of the environment by which a launcher says that it waits. */
  static final String VARIABLE = "VDISK_LAUNCHER_WAITS";

  private final Console console;
  private final PrintStream log;
  private final boolean isAwaited;
  private volatile boolean isReady;

  private Startup(Console console, PrintStream log, boolean isAwaited) {
    this.console = console;
    this.log = log;
    this.isAwaited = isAwaited;
  }

  /**
   * One of a process.
   *
   * @param log where trouble is told once it is ready
   */
  static Startup of(Console console, PrintStream log) {
    return new Startup(console, log, console.environment().containsKey(VARIABLE));
  }

  /** The same where nothing but standard error is a log. */
  static Startup of(Console console) {
    return of(console, console.err());
  }

  /** Where trouble is told now. */
  PrintStream err() {
    return isReady ? log : console.err();
  }

  /** Tells that clients may come. */
  void ready(String line) {
    isReady = true;
    if (!isAwaited) {
      if (!line.isEmpty()) {
        console.out().println(line);
      }
      return;
    }
    console.out().println("0 " + line);
    // The JVM puts /dev/null in the place of each of these three that is closed.
    console.out().close();
    console.err().close();
  }

  /** Tells, and returns, the exit code of a process that did not get so far. */
  int failed(int code) {
    if (isAwaited && !isReady) {
      console.out().println(code);
    }
    return code;
  }
}
