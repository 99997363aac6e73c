package io.vdisk.tools;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;

/**
 * What surrounds a command.
 *
 * @param in standard input
 * @param out standard output
 * @param err standard error
 * @param terminal whether somebody watches standard error
 * @param environment the variables of the environment
 */
record Console(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean terminal,
    Map<String, String> environment) {
  /** The process's own. The launcher says whether standard error is a terminal. */
  static Console system() {
    return new Console(
        System.in, System.out, System.err, Boolean.getBoolean("vdisk.terminal"), System.getenv());
  }
}
