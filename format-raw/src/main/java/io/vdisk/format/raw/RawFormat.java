package io.vdisk.format.raw;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Measurement;
import io.vdisk.OpenOptions;
import io.vdisk.SequentialSource;
import io.vdisk.SequentialTarget;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The disk's bytes and nothing else: files, partitions, whole block devices. */
public final class RawFormat implements ImageFormat {
  static final String NAME = "raw";

  private static final FormatOption PREALLOCATION =
      new FormatOption(
          "preallocation",
          FormatOption.Value.TEXT,
          "off (default): a sparse file; falloc: space set aside; full: zeroes written");

  private static final int STEP = 1 << 20;

  /** For the service loader. */
  public RawFormat() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) {
    return Probe.WEAK;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    return context.device(
        new RawLayout(file, context.limits(), context.writable()), Optional.empty());
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    if (options.backingName().isPresent()) {
      throw new IllegalArgumentException("a raw image has no backing file");
    }
    long size = options.virtualSize().orElseThrow(RawFormat::sizeIsMissing);
    String preallocation = preallocation(options.options());
    boolean isNew = file.size() == 0;
    file.resize(size);
    boolean done =
        switch (preallocation) {
          case "full" -> size == 0;
          case "falloc" -> size == 0 || (isNew ? file.allocate(0, size) : file.zero(0, size, true));
          default -> size == 0 || isNew || file.zero(0, size, false);
        };
    if (!done) {
      writeZeroes(file, size);
    }
  }

  @Override
  public List<FormatOption> creationOptions() {
    return List.of(PREALLOCATION, FormatOption.SIZE);
  }

  @Override
  public List<FormatOption> amendableOptions() {
    return List.of(FormatOption.SIZE);
  }

  /** As large as the disk, whatever is sparse. */
  @Override
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options) {
    if (options.backingName().isPresent()) {
      throw new IllegalArgumentException("a raw image has no backing file");
    }
    String unused = preallocation(options.options());
    long size = options.virtualSize().orElseThrow(RawFormat::sizeIsMissing);
    return new Measurement(size, size, OptionalLong.empty());
  }

  @Override
  public SequentialSource openStream(InputStream in, OpenOptions options) {
    return new RawSource(in);
  }

  @Override
  public SequentialTarget createStream(OutputStream out, CreateOptions options) {
    String unused = preallocation(options.options());
    return new RawTarget(out, options.virtualSize().orElse(0L));
  }

  private static IllegalArgumentException sizeIsMissing() {
    return new IllegalArgumentException("a raw image needs a size");
  }

  private static String preallocation(Map<String, String> options) {
    String mode = "off";
    for (Map.Entry<String, String> option : options.entrySet()) {
      if (!option.getKey().equals(PREALLOCATION.name())) {
        throw new IllegalArgumentException("raw has no option '" + option.getKey() + "'");
      }
      mode = option.getValue();
    }
    return switch (mode) {
      case "off", "falloc", "full" -> mode;
      default -> throw new IllegalArgumentException("preallocation is off, falloc or full");
    };
  }

  private static void writeZeroes(HostFile file, long size) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, size));
    Zeroes.fill(zeroes);
    for (long offset = 0; offset < size; offset += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), size - offset));
      file.write(zeroes, offset);
    }
  }
}
