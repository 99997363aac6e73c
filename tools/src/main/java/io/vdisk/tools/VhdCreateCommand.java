package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.Path;

/** {@code vdisk vhd create}: a new fixed or dynamic disk. */
final class VhdCreateCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .value("-s", "--size")
              .value("-S", "--metadata-size")
              .flag("-r", "--reserve"),
          "options: <-n name> <-s size (MB)> [-r reserve] [-h help]"
              + " [<-S size (MB) for metadata preallocation (see vhd resize)>]",
          Errno.EINVAL.number(),
          VhdCreateCommand::create);

  private VhdCreateCommand() {}

  private static int create(Arguments arguments, Console console)
      throws IOException, UsageException {
    String name = VhdSyntax.name(arguments);
    String size =
        arguments.value("--size").orElseThrow(() -> new UsageException("-s SIZE is missing"));
    long bytes = VhdSyntax.mebibytes(size);
    long metadata = VhdSyntax.mebibytes(arguments.value("--metadata-size").orElse("0"));
    if (metadata > 0 && metadata < bytes) {
      console.out().println("Error: <-S size> must be greater than <-s size>");
      return Errno.EINVAL.number();
    }
    boolean isFixed = arguments.has("--reserve");
    CreateOptions options =
        CreateOptions.of("vhd", bytes)
            .withOption("subformat", isFixed ? "fixed" : "dynamic")
            .withOption("xen", "on");
    make(Path.of(name), isFixed ? options : reserving(options, metadata));
    return 0;
  }

  /** The same with tables for a disk that may grow to so many bytes; 0: for its size alone. */
  static CreateOptions reserving(CreateOptions options, long metadata) {
    return metadata == 0 ? options : options.withOption("metadata_size", Long.toString(metadata));
  }

  /** Makes the image under its name when it is complete. */
  static void make(Path path, CreateOptions options) throws IOException {
    try (TargetFile file = TargetFile.of(path)) {
      try (BlockDevice made = file.create(options)) {
        assert made.size() > 0;
      } catch (IOException e) {
        throw file.named(e);
      }
      long unused = file.complete();
    }
  }
}
