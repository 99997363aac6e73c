package io.vdisk.tools;

import io.vdisk.FormatOption;
import io.vdisk.UnsupportedImageException;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.InstalledFormats;
import java.io.PrintStream;
import java.util.Comparator;
import java.util.List;

/** The options that a format declares, as {@code -o help} of qemu-img prints them. */
final class OptionsHelp {
  private final ImageFormat format;
  private final PrintStream out;

  private OptionsHelp(ImageFormat format, PrintStream out) {
    this.format = format;
    this.out = out;
  }

  /**
   * The options of a format.
   *
   * @throws UnsupportedImageException if there is no such format
   */
  static OptionsHelp of(String format, Console console) throws UnsupportedImageException {
    return new OptionsHelp(
        InstalledFormats.find()
            .named(format)
            .orElseThrow(
                () -> new UnsupportedImageException("there is no format '" + format + "' here")),
        console.out());
  }

  /** Whether {@code help}, or a question mark, is one of the options. */
  static boolean asked(Arguments arguments) {
    return arguments.values("-o").stream()
        .flatMap(list -> ImageOptions.split(list).stream())
        .anyMatch(option -> option.equals("help") || option.equals("?"));
  }

  /** What can be chosen for a new image. */
  void printCreation() throws UnsupportedImageException {
    print("Supported " + format.name() + " options:", format.creationOptions(), "creation");
  }

  /** What of an image can be changed. */
  void printAmendment() throws UnsupportedImageException {
    print("Amend options for '" + format.name() + "':", format.amendableOptions(), "amendment");
  }

  private void print(String head, List<FormatOption> options, String what)
      throws UnsupportedImageException {
    if (options.isEmpty()) {
      throw new UnsupportedImageException(format.name() + " images have no options of " + what);
    }
    out.println(head);
    options.stream()
        .sorted(Comparator.comparing(FormatOption::name))
        .forEach(option -> out.println(line(option)));
  }

  private static String line(FormatOption option) {
    String name = option.name() + "=<" + word(option.value()) + ">";
    return String.format("  %-22s - %s", name, option.purpose());
  }

  /** As qemu-img calls it. */
  private static String word(FormatOption.Value value) {
    return switch (value) {
      case TEXT -> "str";
      case NUMBER -> "num";
      case SIZE -> "size";
      case SWITCH -> "bool (on/off)";
    };
  }
}
