package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageCopy;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The command {@code img2qcow} of Xen's blktap: its arguments, and its lines. */
public final class Img2Qcow {
  private static final String USAGE =
      "Qcow-utils: v1.0.0\nusage: img2qcow <QCOW FILENAME> <SRC IMAGE>";

  private static final String HELP =
      """

      Makes a sparse, standalone image of what a raw file, block device or partition holds.
        -f, --format      qcow (default) or qcow2
            --version     prints the version
      Exit codes: 0 made, 1 failed, 255 not understood.""";

  private static final int SECTOR = 512;

  private Img2Qcow() {}

  /** Makes an image and ends the process with an exit code. */
  public static void main(String[] args) {
    System.exit(run(Arrays.asList(args), Console.system()));
  }

  static int run(List<String> words, Console console) {
    try {
      Arguments arguments =
          new Arguments.Syntax()
              .flag("-h", "--help")
              .flag("--version")
              .value("-f", "--format")
              .parse(words);
      if (arguments.has("--help")) {
        console.out().println(USAGE + "\n" + HELP);
        return 0;
      }
      if (arguments.has("--version")) {
        console.out().println("img2qcow " + Help.version());
        return 0;
      }
      return convert(arguments, console);
    } catch (UsageException e) {
      console.err().println(e.getMessage());
      console.err().println(USAGE);
      return QcowCreate.USAGE_ERROR;
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "img2qcow", e);
      return 1;
    }
  }

  private static int convert(Arguments arguments, Console console) throws IOException {
    List<String> operands = arguments.operands();
    String format = arguments.value("--format").orElse("qcow");
    if (operands.size() != 2) {
      console.err().println(USAGE);
      return QcowCreate.USAGE_ERROR;
    }
    if (!format.equals("qcow") && !format.equals("qcow2")) {
      console.err().println("Unsupport format:" + format);
      return QcowCreate.USAGE_ERROR;
    }
    Path target = Path.of(operands.get(0));
    Path source = Path.of(operands.get(1));
    if (Files.exists(source) && Files.exists(target) && Files.isSameFile(source, target)) {
      throw new IllegalArgumentException(source + " and " + target + " are the same file");
    }
    Transfer transfer = new Transfer(console);
    long start = System.nanoTime();
    try (BlockDevice from = Images.open(source, OpenOptions.readOnly().withFormat("raw"));
        TargetFile file = TargetFile.of(target)) {
      printSize(source, from.size(), console.err());
      long virtualSize = from.size() + (-from.size() & (SECTOR - 1));
      try (BlockDevice to =
          file.create(
              QcowCreate.forXen(CreateOptions.of(format, virtualSize), false)
                  .withPageCache(PageCache.WRITTEN_BACK))) {
        QcowCreate.checksum(to).forEach(console.out()::println);
        console.err().println("Qcow file created: size " + virtualSize / SECTOR + " sectors");
        ImageCopy.of(from, to).toEmptyTarget().toLargerTarget().withProgress(transfer).run();
      } catch (IOException e) {
        transfer.breakOff();
        throw file.named(e);
      }
      long written = file.complete();
      console.err().print("TRANSFER COMPLETE\n\n");
      summary(target, virtualSize, written, System.nanoTime() - start, console.err());
    }
    return 0;
  }

  private static void printSize(Path source, long bytes, PrintStream err) throws IOException {
    if (TargetFile.isBlockDevice(source)) {
      err.println("Image size: \n\tpre sector_shift  [" + bytes + "]");
      err.println("\tpost sector_shift [" + bytes / SECTOR + "]");
    } else {
      err.println("Image size: [" + bytes / SECTOR + "]");
    }
  }

  private static void summary(Path target, long size, long written, long nanos, PrintStream err) {
    long hundredths = nanos / 10_000_000;
    err.println(
        (target + ": virtual size " + ByteSize.describe(size) + " (" + size + " bytes), ")
            + (ByteSize.describe(written) + " (" + written + " bytes) written, ")
            + (hundredths / 100 + "." + hundredths % 100 / 10 + hundredths % 10 + " s"));
  }

  /** A bar on a terminal; else the line of old, drawn over itself at every second percent. */
  private static final class Transfer implements Progress {
    private static final int STEP = 2;

    private final Console console;
    private final ProgressBar bar;
    private int shown;

    Transfer(Console console) {
      this.console = console;
      this.bar = new ProgressBar(console.err(), true);
    }

    /** What is said next begins a line of its own. */
    void breakOff() {
      if (shown > 0 && shown < 100) {
        console.err().println();
      }
    }

    @Override
    public boolean report(long done, long total) {
      if (console.terminal()) {
        return bar.report(done, total);
      }
      int percent = ProgressBar.percent(done, total) / STEP * STEP;
      while (shown < percent) {
        shown += STEP;
        console.err().print("\r" + ProgressBar.bar(shown) + "     " + shown + "%");
      }
      if (shown == 100) {
        console.err().println();
      }
      return true;
    }
  }
}
