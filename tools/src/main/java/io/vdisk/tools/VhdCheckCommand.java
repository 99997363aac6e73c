package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.CheckReport.Severity;
import io.vdisk.feature.Checking;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code vdisk vhd check}: whether a disk, and with {@code -p} those below it, are as they should
 * be. {@code -i} takes a lost or differing footer for no fault, {@code -t} a parent of another
 * time, {@code -I} another unique id of the parent.
 */
final class VhdCheckCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .flag("-i", "--ignore-footers")
              .flag("-I", "--ignore-ids")
              .flag("-t", "--ignore-times")
              .flag("-p", "--parents")
              .flag("-b", "--bitmaps")
              .flag("-B", "--no-table")
              .flag("-s", "--statistics"),
          "options: -n <file> [-i ignore missing primary footers] [-I ignore parent uuids]"
              + " [-t ignore timestamps] [-B accepted, changes nothing] [-p check parents]"
              + " [-b check bitmaps] [-s stats] [-h help]",
          0,
          (arguments, console) -> new VhdCheckCommand(arguments, console).check());

  private static final int SECTOR = 512;
  private static final int PERCENT = 100;

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;

  private VhdCheckCommand(Arguments arguments, Console console) throws UsageException {
    this.arguments = arguments;
    this.console = console;
    this.opening = Opening.of(arguments, console, "vdisk");
  }

  private int check() throws IOException, UsageException {
    String name = VhdSyntax.name(arguments);
    Path path = Path.of(name);
    int code;
    Optional<Reference> parent;
    try (BlockDevice disk = opening.alone(path, Optional.of("vhd"))) {
      code = check(disk, name);
      parent = disk.info().backing();
    } catch (IOException e) {
      console.out().println("error opening " + name);
      Failures.print(console, "vdisk", e);
      return Errno.of(e).number();
    }
    if (code == 0 && parent.isPresent()) {
      code = checkLink(path, name);
    }
    if (code == 0 && arguments.has("--parents")) {
      code = checkBelow(parent);
    }
    if (code == 0 && arguments.has("--statistics")) {
      printStatistics(path, name);
    }
    return code;
  }

  /** One image by itself. Of a fixed disk that is as it should be nothing is said. */
  private int check(BlockDevice disk, String name) throws IOException {
    CheckReport report = disk.feature(Checking.class).orElseThrow().check(Progress.NONE);
    boolean isValid = true;
    for (CheckReport.Finding finding : report.findings()) {
      console.out().println(finding.message());
      isValid &= isIgnored(finding);
    }
    if (!isValid) {
      console.out().println(name + " appears invalid; dumping metadata");
      dump(disk.info());
      return Errno.EINVAL.number();
    }
    boolean isFixed = "fixed".equals(disk.info().details().get("subformat"));
    if (!isFixed && !arguments.has("--statistics")) {
      console.out().println(name + " is valid");
    }
    return 0;
  }

  private boolean isIgnored(CheckReport.Finding finding) {
    return finding.severity() != Severity.ERROR
        && (arguments.has("--ignore-footers") || !finding.message().contains("footer"));
  }

  private void dump(ImageInfo info) {
    info.details().forEach((key, value) -> console.out().println(key + ": " + value));
  }

  /** Whether the parent is there and is the one that is meant. */
  private int checkLink(Path path, String name) throws UsageException {
    if (arguments.has("--ignore-ids")) {
      return 0;
    }
    try (BlockDevice whole = opening.read(path, Optional.of("vhd"), Optional.empty())) {
      assert whole.size() > 0;
      return 0;
    } catch (IOException e) {
      console.out().println(Failures.sentence(e));
      console.out().println(name + " appears invalid; dumping metadata");
      return Errno.of(e).number();
    }
  }

  private int checkBelow(Optional<Reference> first) throws IOException {
    BackingChain chain = new BackingChain(opening.options());
    Optional<Reference> next = first;
    int code = 0;
    while (code == 0 && next.isPresent()) {
      try (BackingChain.Link link = chain.open(next.get(), opening.options().withoutBacking())) {
        ImageInfo info = link.device().info();
        if (info.format().equals("vhd")) {
          code = check(link.device(), link.file().name());
        }
        next = info.backing();
      }
    }
    return code;
  }

  /** How much of the disk is in its file, and how much of that is not in images below. */
  private void printStatistics(Path path, String name) throws IOException {
    try (BlockDevice disk = opening.read(path, Optional.of("vhd"), Optional.empty())) {
      long held = VhdCoalesceCommand.held(disk);
      long allocated = VhdSnapshotCommand.allocated(disk) * disk.info().unit() / SECTOR;
      long written = held / SECTOR;
      double part = allocated == 0 ? 0 : (double) PERCENT * written / allocated;
      console
          .out()
          .println(
              String.format(
                  Locale.ROOT,
                  "%s: secs allocated: 0x%x secs written: 0x%x (%.2f%%)",
                  name,
                  allocated,
                  written,
                  part));
    }
  }
}
