package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The command {@code qcow-create} of Xen's blktap: its arguments, and its lines. */
public final class QcowCreate {
  /** What Xen's tools printed; scripts know it. */
  private static final String USAGE =
      "Qcow-utils: v1.0.0\n"
          + "usage: qcow-create [-h help] [-r reserve] [-f format] <SIZE(MB)> <FILENAME>"
          + " [<BACKING_FILENAME>]";

  private static final String HELP =
      """

      Makes an empty image, sparse unless reserved, or one that reads from a backing file.
        SIZE              in MiB, or with one of the suffixes b, k, M, G, T, P, E; with a backing
                          file it is ignored: the image is as large as that file
        -r, --reserve     takes all the space at once (-p does too, as in Xen 3.0.4)
        -f, --format      qcow (default) or qcow2
            --version     prints the version
      Exit codes: 0 made, 1 failed, 255 not understood.""";

  /** Xen's limit. */
  private static final int MAX_NAME_LENGTH = 1000;

  static final int USAGE_ERROR = 255;

  private QcowCreate() {}

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
              .flag("-p", "-r", "--reserve")
              .value("-f", "--format")
              .parse(words);
      if (arguments.has("--help")) {
        console.out().println(USAGE + "\n" + HELP);
      } else if (arguments.has("--version")) {
        console.out().println("qcow-create " + Help.version());
      } else {
        return create(arguments, console);
      }
      return 0;
    } catch (UsageException e) {
      String message = e.getMessage() == null ? "" : e.getMessage();
      console.err().println(message.startsWith("unknown option") ? "Unknown option" : message);
      console.err().println(USAGE);
      return USAGE_ERROR;
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "qcow-create", e);
      return 1;
    }
  }

  private static int create(Arguments arguments, Console console)
      throws IOException, UsageException {
    List<String> operands = arguments.operands();
    if (operands.size() < 2 || operands.size() > 3) {
      console.err().println(USAGE);
      return USAGE_ERROR;
    }
    long size = ByteSize.parse(operands.get(0), 1 << 20);
    String name = operands.get(1);
    String format = arguments.value("--format").orElse("qcow");
    if (operands.stream().anyMatch(word -> word.length() > MAX_NAME_LENGTH)) {
      console.err().println("Device name too long");
      return USAGE_ERROR;
    }
    if (!format.equals("qcow") && !format.equals("qcow2")) {
      console.err().println("Unsupport format:" + format);
      return USAGE_ERROR;
    }
    console.err().println("Creating file size " + size + ", name " + name);
    boolean reserved = arguments.has("--reserve");
    CreateOptions options =
        operands.size() == 3
            ? overlay(format, Path.of(operands.get(2)), Path.of(name))
            : CreateOptions.of(format, size);
    options = forXen(options, reserved && operands.size() == 2);
    try (TargetFile file = TargetFile.of(Path.of(name))) {
      List<String> lines = new ArrayList<>();
      try (BlockDevice made = file.create(options)) {
        lines.addAll(checksum(made));
      } catch (IOException e) {
        throw file.named(e);
      }
      long length = file.complete();
      if (reserved) {
        lines.add("File truncated to length " + length);
      }
      lines.forEach(console.out()::println);
    }
    return 0;
  }

  /** With an absolute name, as Xen's tools wrote it. */
  private static CreateOptions overlay(String format, Path backing, Path name) throws IOException {
    Path real = backing.toRealPath();
    if (Files.exists(name) && Files.isSameFile(real, name)) {
      throw new IllegalArgumentException(name + " cannot be its own backing file");
    }
    Optional<String> known = Opening.probe(real);
    return CreateOptions.overlay(
            format, real.toString(), format.equals("qcow2") ? known.orElse("raw") : null)
        .withReferences(ReferencePolicy.any());
  }

  /** With what Xen's drivers of qcow expect behind the header. */
  static CreateOptions forXen(CreateOptions options, boolean reserved) {
    CreateOptions result = options;
    if (options.format().equals("qcow")) {
      result = result.withOption("xen", "on");
    }
    return reserved ? result.withOption("preallocation", "full") : result;
  }

  /**
   * The line that tells the checksum in Xen's extended header, if there is one: as Xen's tools read
   * its four bytes, little-endian.
   */
  static List<String> checksum(BlockDevice made) {
    return made.info().details().get("xen") instanceof Map<?, ?> xen
            && xen.get("cksum") instanceof Number cksum
        ? List.of("Created cksum: " + Integer.reverseBytes(cksum.intValue()))
        : List.of();
  }
}
