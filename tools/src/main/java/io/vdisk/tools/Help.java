package io.vdisk.tools;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** What every command answers alike. */
final class Help {
  private Help() {}

  /** Prints the usage if it was asked for. */
  static boolean asked(Arguments arguments, String usage, Console console) {
    if (arguments.has("--help")) {
      console.out().println("usage: " + usage);
    }
    return arguments.has("--help");
  }

  /** Whether {@code --output} asks for JSON. */
  static boolean isJson(Arguments arguments) throws UsageException {
    String output = arguments.value("--output").orElse("human");
    return switch (output) {
      case "json" -> true;
      case "human" -> false;
      default -> throw new UsageException("the output is human or json, not '" + output + "'");
    };
  }

  /** The version that the build wrote beside this class. */
  static String version() throws IOException {
    try (InputStream in = Help.class.getResourceAsStream("version.txt")) {
      return in == null ? "unknown" : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }
}
