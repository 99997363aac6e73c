package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** {@code vdisk vhd query}: one line for each thing asked for, always in the same order. */
final class VhdQueryCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .flag("-v", "--virtual-size")
              .flag("-s", "--physical-size")
              .flag("-p", "--parent")
              .flag("-f", "--fields")
              .flag("-m", "--marker")
              .flag("-d", "--depth")
              .flag("-S", "--metadata-size")
              .flag("-a", "--allocated")
              .flag("-u", "--unresolved"),
          "options: <-n name> [-v print virtual size (in MB)]"
              + " [-s print physical utilization (bytes)] [-p print parent] [-f print fields]"
              + " [-m print marker] [-d print chain depth]"
              + " [-S print max virtual size (MB) for fast resize]"
              + " [-a print allocated block count] [-u don't resolve parent path] [-h help]",
          0,
          (arguments, console) -> new VhdQueryCommand(arguments, console).query());

  private static final int MIB_BITS = 20;

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final String name;

  private VhdQueryCommand(Arguments arguments, Console console) throws UsageException {
    this.arguments = arguments;
    this.console = console;
    this.opening = Opening.of(arguments, console, "vdisk");
    this.name = VhdSyntax.name(arguments);
  }

  private int query() {
    try (BlockDevice disk = opening.alone(Path.of(name), Optional.of("vhd"))) {
      return print(disk);
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
  }

  private int print(BlockDevice disk) throws IOException {
    ImageInfo info = disk.info();
    int code = 0;
    if (arguments.has("--virtual-size")) {
      line(detail(info, "current-size") >> MIB_BITS);
    }
    if (arguments.has("--physical-size")) {
      line(Files.size(Path.of(name)));
    }
    if (arguments.has("--parent")) {
      code = printParent(info);
    }
    if (arguments.has("--fields")) {
      line("hidden: " + detail(info, "hidden"));
    }
    if (arguments.has("--marker")) {
      line("marker: " + detail(info, "marker"));
    }
    if (arguments.has("--depth")) {
      int failed = printDepth();
      code = code == 0 ? failed : code;
    }
    if (arguments.has("--allocated")) {
      int failed = printAllocated(disk);
      code = code == 0 ? failed : code;
    }
    if (arguments.has("--metadata-size")) {
      long blockSize = detail(info, "block-size");
      line((detail(info, "max-table-entries") * blockSize) >> MIB_BITS);
    }
    return code;
  }

  private int printAllocated(BlockDevice disk) throws IOException {
    if (detail(disk.info(), "max-table-entries") == 0) {
      line("error reading bat: " + -Errno.EINVAL.number());
      return Errno.EINVAL.number();
    }
    line(VhdSnapshotCommand.allocated(disk));
    return 0;
  }

  private int printParent(ImageInfo info) {
    Optional<Reference> parent = info.backing();
    if (parent.isEmpty()) {
      line(name + " has no parent");
      return 0;
    }
    if (arguments.has("--unresolved")) {
      line(parent.get().name());
      return 0;
    }
    try (HostFile file = opening.options().references().open(parent.get())) {
      line(file.path().orElseThrow().toRealPath());
      return 0;
    } catch (IOException e) {
      line("query failed");
      Failures.print(console, "vdisk", e);
      return Errno.of(e).number();
    }
  }

  private int printDepth() {
    try {
      line("chain depth: " + VhdSnapshotCommand.depth(Path.of(name), opening));
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error checking chain depth", e);
    }
  }

  /** A number that the image says of itself; 0 if it says nothing. */
  static long detail(ImageInfo info, String key) {
    return info.details().get(key) instanceof Number number ? number.longValue() : 0;
  }

  private void line(Object text) {
    console.out().println(text);
  }
}
