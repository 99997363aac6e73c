package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code vdisk check}: whether an image's metadata agrees with itself. Changes nothing, unless
 * {@code -r} says what to mend.
 */
final class CheckCommand {
  static final String USAGE =
      "vdisk check [-r leaks|all] [-f FORMAT] [-U] [-q] [--image-opts] [--output=json|human]"
          + " [--object SECRET] [--source-secret ID] FILE";

  /** Exit codes, those of qemu-img. */
  private static final int INCOMPLETE = 1;

  private static final int ERRORS = 2;

  private static final int LEAKS = 3;
  private static final int UNSUPPORTED = 63;

  private CheckCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-r")
            .value("-T")
            .value("--output")
            .flag("-q", "--quiet")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    boolean json = Help.isJson(arguments);
    Optional<Repairing.Scope> scope = scope(arguments);
    boolean prints = !json && !arguments.has("--quiet");
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"))) {
      Opening opening = Opening.of(arguments, console, "vdisk").with(secrets.named(image.secret()));
      try (BlockDevice device =
          scope.isEmpty()
              ? opening.alone(image.path(), image.format())
              : opening.repair(image.path(), image.format())) {
        String format = device.info().format();
        Optional<Checking> checking = device.feature(Checking.class);
        if (checking.isEmpty()) {
          console
              .err()
              .println("vdisk: " + image.file() + ": " + format + " images cannot be checked");
          return UNSUPPORTED;
        }
        CheckReport repaired = CheckReport.builder().build();
        if (scope.isPresent()) {
          Optional<Repairing> repairing = device.feature(Repairing.class);
          if (repairing.isEmpty()) {
            console
                .err()
                .println("vdisk: " + image.file() + ": " + format + " images cannot be repaired");
            return UNSUPPORTED;
          }
          repaired = repairing.get().repair(scope.get(), Progress.NONE);
          if (prints) {
            printRepair(repaired, console.out(), console.err());
          }
        }
        CheckReport report = checking.get().check(Progress.NONE);
        if (json) {
          console.out().println(Json.of(fields(image.file(), format, report, repaired)));
        } else if (prints) {
          print(report, console.out(), console.err());
        }
        return exit(report);
      }
    }
  }

  private static Optional<Repairing.Scope> scope(Arguments arguments) throws UsageException {
    Optional<String> text = arguments.value("-r");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        switch (text.get()) {
          case "leaks" -> Repairing.Scope.LEAKS;
          case "all" -> Repairing.Scope.ALL;
          default -> throw new UsageException("-r takes leaks or all, not '" + text.get() + "'");
        });
  }

  private static void printRepair(CheckReport repaired, PrintStream out, PrintStream err) {
    if (repaired.errorsFixed() + repaired.leaksFixed() == 0) {
      return;
    }
    printFindings(repaired, err);
    out.println("The following inconsistencies were found and repaired:");
    out.println();
    out.println("    " + repaired.leaksFixed() + " leaked clusters");
    out.println("    " + repaired.errorsFixed() + " corruptions");
    out.println();
    out.println("Double checking the fixed image now...");
  }

  private static int exit(CheckReport report) {
    if (report.unchecked() > 0) {
      return INCOMPLETE;
    }
    return report.errors() > 0 ? ERRORS : report.leaks() > 0 ? LEAKS : 0;
  }

  private static Map<String, Object> fields(
      String file, String format, CheckReport report, CheckReport repaired) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("image-end-offset", report.endOffset());
    fields.put("total-clusters", report.totalUnits());
    fields.put("check-errors", report.unchecked());
    if (report.errors() > 0) {
      fields.put("corruptions", report.errors());
    }
    if (report.leaks() > 0) {
      fields.put("leaks", report.leaks());
    }
    if (repaired.errorsFixed() > 0) {
      fields.put("corruptions-fixed", repaired.errorsFixed());
    }
    if (repaired.leaksFixed() > 0) {
      fields.put("leaks-fixed", repaired.leaksFixed());
    }
    fields.put("allocated-clusters", report.allocatedUnits());
    fields.put("fragmented-clusters", report.fragmentedUnits());
    fields.put("compressed-clusters", report.compressedUnits());
    fields.put("filename", file);
    fields.put("format", format);
    return fields;
  }

  private static void printFindings(CheckReport report, PrintStream err) {
    for (CheckReport.Finding finding : report.findings()) {
      err.println(finding.severity() + ": " + finding.message());
    }
    long counted = report.errors() + report.leaks() + report.unchecked() + report.warnings();
    if (counted > report.findings().size()) {
      err.println((counted - report.findings().size()) + " more findings are not shown");
    }
  }

  private static void print(CheckReport report, PrintStream out, PrintStream err) {
    printFindings(report, err);
    if (report.isClean()) {
      out.println("No errors were found on the image.");
    } else {
      out.println(report.errors() + " errors" + (report.errors() > 0 ? ": data may be lost" : ""));
      out.println(report.leaks() + " leaked clusters" + (report.leaks() > 0 ? ": harmless" : ""));
      if (report.unchecked() > 0) {
        out.println(report.unchecked() + " parts of the image could not be checked");
      }
    }
    long total = report.totalUnits();
    long allocated = report.allocatedUnits();
    out.println(
        (allocated + "/" + total + " = " + share(allocated, total) + " allocated, ")
            + (share(report.fragmentedUnits(), allocated) + " fragmented, ")
            + (share(report.compressedUnits(), allocated) + " compressed clusters"));
    out.println("Image end offset: " + report.endOffset());
  }

  /** With two digits behind the point. */
  private static String share(long part, long whole) {
    long hundredths = whole == 0 ? 0 : Math.round(10_000.0 * part / whole);
    long rest = hundredths % 100;
    return hundredths / 100 + (rest < 10 ? ".0" : ".") + rest + "%";
  }
}
