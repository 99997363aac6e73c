package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code vdisk map}: where the bytes of a disk lie, down the chain of backing files. */
final class MapCommand {
  static final String USAGE =
      "vdisk map [-f FORMAT] [--start-offset=OFFSET] [--max-length=LENGTH] [-U]"
          + " [--output=json|human] [--backing-policy=POLICY] [--object SECRET]"
          + " [--source-secret ID] [--image-opts] FILE";

  private static final int COLUMN = 16;

  private MapCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments =
        Opening.syntax()
            .value("-s", "--start-offset")
            .value("-l", "--max-length")
            .value("--output")
            .parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    boolean json = Help.isJson(arguments);
    long start = ByteSize.parse(arguments.value("--start-offset").orElse("0"), 1);
    Optional<String> most = arguments.value("--max-length");
    try (SecretObjects secrets = SecretObjects.of(arguments.values("--object"));
        BlockDevice device =
            Opening.of(arguments, console, "vdisk")
                .with(secrets.named(image.secret()))
                .read(image.path(), image.format(), Optional.empty())) {
      long from = Math.min(start, device.size());
      long length = device.size() - from;
      if (most.isPresent()) {
        length = Math.min(length, ByteSize.parse(most.get(), 1));
      }
      if (json) {
        printJson(device.extents(from, length), console.out());
      } else {
        print(device.extents(from, length), image.file(), console.out());
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return 0;
  }

  private static void print(Iterable<Extent> extents, String image, PrintStream out)
      throws IOException {
    StringBuilder title = new StringBuilder();
    column(title, "Offset");
    column(title, "Length");
    column(title, "Mapped to");
    out.println(title.append("File"));
    for (Extent extent : extents) {
      if (!extent.readsAsZero()) {
        Optional<HostFile> file = extent.file();
        if (file.isEmpty() || extent.isEncoded()) {
          throw new IOException(
              image
                  + ": the bytes at "
                  + extent.offset()
                  + " are compressed, enciphered or in no file; --output=json shows such too");
        }
        StringBuilder line = new StringBuilder();
        column(line, hex(extent.offset()));
        column(line, hex(extent.length()));
        column(line, hex(extent.fileOffset()));
        out.println(line.append(name(file.get())));
      }
    }
  }

  private static void column(StringBuilder line, String text) {
    line.append(text).append(" ".repeat(Math.max(0, COLUMN - text.length())));
  }

  private static String hex(long number) {
    return number == 0 ? "0" : "0x" + Long.toHexString(number);
  }

  private static String name(HostFile file) {
    Optional<Path> path = file.path();
    return path.isPresent() ? path.get().toString() : file.name();
  }

  private static void printJson(Iterable<Extent> extents, PrintStream out) {
    String before = "[";
    for (Extent extent : extents) {
      boolean isData = !extent.readsAsZero();
      StringBuilder line = new StringBuilder(before);
      line.append("{ \"start\": ").append(extent.offset());
      line.append(", \"length\": ").append(extent.length());
      line.append(", \"depth\": ").append(extent.depth());
      line.append(", \"present\": ").append(extent.kind() != Extent.Kind.HOLE);
      line.append(", \"zero\": ").append(!isData);
      line.append(", \"data\": ").append(isData);
      if (isData && extent.file().isPresent() && !extent.isEncoded()) {
        line.append(", \"offset\": ").append(extent.fileOffset());
      }
      out.print(line.append('}'));
      before = ",\n";
    }
    out.println(before.equals("[") ? "[]" : "]");
  }
}
