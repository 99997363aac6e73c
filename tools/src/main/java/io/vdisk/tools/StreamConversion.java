package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.StreamCopy;
import io.vdisk.UnsupportedImageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * {@code vdisk convert} in one pass: from standard input, to standard output, or into a file that
 * is written from its beginning to its end.
 */
final class StreamConversion {
  /** Standard input or output. */
  static final String PIPE = "-";

  /** The size of an image that grows with what comes. */
  private static final long SMALL = 1 << 20;

  private final Console console;
  private final Progress progress;

  /** Bytes of the disk that the user said. */
  private final OptionalLong said;

  StreamConversion(Console console, Progress progress, OptionalLong said) {
    this.console = console;
    this.progress = progress;
    this.said = said;
  }

  /** Takes standard input, or a file from its beginning to its end, as an image. */
  SequentialSource source(NamedImage image, String format, OpenOptions options) throws IOException {
    InputStream in = image.file().equals(PIPE) ? console.in() : Files.newInputStream(image.path());
    return Images.openStream(in, options.withFormat(format));
  }

  /** Copies to standard output. */
  void toStandardOutput(SequentialSource source, CreateOptions options) throws IOException {
    try (OutputStream out = new CheckedOutput(console.out());
        SequentialTarget target = Images.createStream(out, sized(options, source))) {
      long unused = StreamCopy.run(source, target, progress);
    }
  }

  /** Copies into a file, from its beginning to its end. */
  void toFile(SequentialSource source, Path path, CreateOptions options) throws IOException {
    CreateOptions named = options.withFileName(String.valueOf(path.getFileName()));
    try (TargetFile file = TargetFile.of(path)) {
      try (OutputStream out = file.stream(options.isDurable());
          SequentialTarget target = Images.createStream(out, sized(named, source))) {
        long unused = StreamCopy.run(source, target, progress);
      } catch (IOException e) {
        throw file.named(e);
      }
      long unused = file.complete();
    }
  }

  /** Copies into an image that can seek. */
  void toImage(SequentialSource source, Path path, CreateOptions options) throws IOException {
    OptionalLong size = size(source);
    try (TargetFile file = TargetFile.of(path)) {
      try (BlockDevice device = file.create(options.withVirtualSize(size.orElse(SMALL)))) {
        boolean isUsed = file.isUsed(options);
        try (SequentialTarget target =
            size.isPresent() || isUsed ? SequentialTarget.of(device, !isUsed) : growing(device)) {
          long unused = StreamCopy.run(source, target, progress);
        }
        if (options.isDurable()) {
          device.flush();
        }
      } catch (IOException e) {
        throw file.named(e);
      }
      long unused = file.complete();
    }
  }

  private static SequentialTarget growing(BlockDevice device) throws IOException {
    try {
      return SequentialTarget.growing(device);
    } catch (UnsupportedImageException e) {
      throw new UnsupportedImageException(
          "how large the disk is does not show before its end; -o size=BYTES says it: "
              + e.getMessage());
    }
  }

  private OptionalLong size(SequentialSource source) {
    return source.virtualSize().isPresent() ? source.virtualSize() : said;
  }

  private CreateOptions sized(CreateOptions options, SequentialSource source) {
    return options.withVirtualSize(size(source).orElse(0));
  }

  /** A print stream hides that nobody reads any longer. */
  private static final class CheckedOutput extends OutputStream {
    private final PrintStream out;

    CheckedOutput(PrintStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      check();
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      check();
    }

    @Override
    public void flush() throws IOException {
      out.flush();
      check();
    }

    private void check() throws IOException {
      if (out.checkError()) {
        throw new IOException("standard output takes no more");
      }
    }
  }
}
