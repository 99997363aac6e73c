package io.vdisk.tools;

import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * How one {@code vdisk vhd} command is called.
 *
 * @param options its options; {@code -n}, {@code -h} and {@code --backing-policy} are there already
 * @param usage what {@code -h} prints
 * @param helpCode the exit code of {@code -h}, which differs among Xen's
 * @param body what it does
 */
record VhdSyntax(Arguments.Syntax options, String usage, int helpCode, VhdCommand.Body body) {
  static final String NAME = "--name";

  /** The options that all of them know. */
  static Arguments.Syntax named() {
    return new Arguments.Syntax()
        .value("-n", NAME)
        .flag("-h", "--help")
        .flag("-U", "--force-share")
        .value("--backing-policy");
  }

  /** Runs it; its exit code. */
  int run(List<String> words, Console console) {
    try {
      Arguments arguments = options.parse(words);
      if (arguments.has("--help")) {
        console.out().println(usage);
        return helpCode;
      }
      return body.run(arguments, console);
    } catch (IOException | RuntimeException e) {
      Failures.print(console, "vdisk", e);
      return Errno.of(e).number();
    } catch (UsageException e) {
      console.err().println("vdisk: " + e.getMessage());
      console.out().println(usage);
      return Errno.EINVAL.number();
    }
  }

  /** The file of {@code -n}; there are no operands. */
  static String name(Arguments arguments) throws UsageException {
    List<String> unused = arguments.operands(0, "no operands");
    Optional<String> name = arguments.value(NAME);
    return name.orElseThrow(() -> new UsageException("-n NAME is missing"));
  }

  /** A number of MiB as bytes; whole blocks of 2 MiB, as Xen's disks have them. */
  static long mebibytes(String text) throws UsageException {
    long most = Long.MAX_VALUE >> 21;
    return ((Math.min(number(text), most) + 1) & -2) << 20;
  }

  /** Says that something failed, as Xen's tools do, and why; the exit code. */
  static int failed(Console console, String what, Throwable failure) {
    int number = Errno.of(failure).number();
    console.out().println(what + ": " + -number);
    Failures.print(console, "vdisk", failure);
    return number;
  }

  static long number(String text) throws UsageException {
    try {
      long number = Long.parseLong(text);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new UsageException("not a number: '" + text + "'");
    }
    throw new UsageException("a number of zero or more is wanted, not '" + text + "'");
  }
}
