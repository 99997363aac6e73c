package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code vdisk vhd fill}: every block gets its place, and the disk reads as before. {@code -b},
 * which shows what the blocks' places held in the file, is taken as a range alone.
 */
final class VhdFillCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          VhdSyntax.named()
              .value("-f", "--from")
              .value("-t", "--to")
              .flag("-b", "--tables")
              .flag("-B", "--beyond"),
          "options: <-n name> [-h help] [-b a range is given] [-f first sector, only usable with"
              + " -b] [-t last sector (inclusive), only usable with -b]"
              + " [-B is accepted with -b, and changes nothing]",
          Errno.EINVAL.number(),
          VhdFillCommand::fill);

  private static final int SECTOR = 512;
  private static final int STEP = 1 << 20;

  private VhdFillCommand() {}

  private static int fill(Arguments arguments, Console console) throws IOException, UsageException {
    String name = VhdSyntax.name(arguments);
    boolean hasRange = arguments.has("--from") || arguments.has("--to");
    if (hasRange && !arguments.has("--tables")) {
      console.out().println("-f/-t can only be used with -b");
      return Errno.EINVAL.number();
    }
    if (arguments.has("--beyond") && !arguments.has("--tables")) {
      console.out().println("-B can only be used with -b");
      return Errno.EINVAL.number();
    }
    long from = VhdSyntax.number(arguments.value("--from").orElse("0"));
    long to = VhdSyntax.number(arguments.value("--to").orElse(Long.toString(Long.MAX_VALUE)));
    if (to < from) {
      console.out().println("invalid sector range " + from + "-" + to);
      return Errno.EINVAL.number();
    }
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (BlockDevice disk = opening.write(Path.of(name), Optional.of("vhd"))) {
      long unit = disk.info().unit();
      long size = disk.size();
      long first = Math.min(from, size / SECTOR) * SECTOR / unit * unit;
      long last = Math.min(to, (size - 1) / SECTOR) * SECTOR / unit * unit;
      fill(disk, first, Math.min(size, last + unit));
      disk.flush();
      return 0;
    } catch (IOException e) {
      return VhdSyntax.failed(console, "error opening " + name, e);
    }
  }

  /** Writes what is read. */
  private static void fill(BlockDevice disk, long from, long to) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(STEP);
    for (long at = from; at < to; at += bytes.limit()) {
      bytes.clear().limit((int) Math.min(STEP, to - at));
      disk.read(bytes, at);
      disk.write(bytes.flip(), at);
    }
  }
}
