package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The image that {@code -n} of {@code vdisk vhd} names: how it is made, and what it tells. */
final class VhdImage {
  /** What is made. */
  static final String FORMAT = "vhd";

  private static final long MB = 1L << 20;

  /** What vhd-util rounds sizes up to: a block. */
  private static final long ROUNDING = 2 * MB;

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final Path name;

  VhdImage(Arguments arguments, Console console, Opening opening, Path name) {
    this.arguments = arguments;
    this.console = console;
    this.opening = opening;
    this.name = name;
  }

  void create() throws IOException, UsageException {
    make(CreateOptions.of(FORMAT, bytes(required("-s"))));
  }

  void snapshot() throws IOException, UsageException {
    String parent = required("-p");
    if (arguments.has("-l")) {
      int limit = Integer.parseInt(required("-l"));
      int depth = depth(name.resolveSibling(parent));
      if (depth >= limit) {
        throw new IOException(
            "snapshot depth exceeded: current depth: " + depth + ", limit: " + limit);
      }
    }
    make(CreateOptions.overlay(FORMAT, parent, arguments.has("-m") ? "raw" : FORMAT));
  }

  private void make(CreateOptions creation) throws IOException, UsageException {
    CreateOptions options = creation.withReferences(ReferencePolicy.any()).withOption("xen", "on");
    if (arguments.has("-r")) {
      options = options.withOption("subformat", "fixed");
    }
    if (arguments.has("-S")) {
      options = options.withOption("metadata_size", Long.toString(bytes(required("-S"))));
    }
    try (TargetFile file = TargetFile.of(name)) {
      file.create(options).close();
      long unused = file.complete();
    }
  }

  /** Images from this one down. */
  private int depth(Path image) throws IOException {
    int[] depth = {1};
    try (HostFile file = LocalFile.open(image, false, opening.options().isLocked());
        BlockDevice top = opening.alone(image, Optional.empty())) {
      new BackingChain(opening.options()).walk(top, file.key(), (reference, link) -> depth[0]++);
    }
    return depth[0];
  }

  void query() throws IOException, UsageException {
    try (BlockDevice device = opening.alone(name, Optional.empty())) {
      ImageInfo info = device.info();
      if (arguments.has("-v")) {
        print(info.virtualSize() / MB);
      }
      if (arguments.has("-s")) {
        print(Files.size(name));
      }
      if (arguments.has("-p")) {
        print(info.backing().map(this::parent).orElse(name + " has no parent"));
      }
      if (arguments.has("-f")) {
        print("hidden: " + info.details().getOrDefault("hidden", 0));
      }
      if (arguments.has("-m")) {
        print("marker: " + info.details().getOrDefault("marker", 0));
      }
      if (arguments.has("-d")) {
        print("chain depth: " + depth(name));
      }
      if (arguments.has("-a")) {
        print(feature(device, Checking.class, name).check(Progress.NONE).allocatedUnits());
      }
      if (arguments.has("-S")) {
        Object entries = info.details().getOrDefault("max-table-entries", 0L);
        print(((Long) entries) * info.unit() / MB);
      }
    }
  }

  private String parent(Reference reference) {
    return arguments.has("-u")
        ? reference.name()
        : name.toAbsolutePath().resolveSibling(reference.name()).normalize().toString();
  }

  private void print(Object line) {
    console.out().println(line);
  }

  private String required(String letter) throws UsageException {
    return VhdCommand.required(arguments, letter);
  }

  /** A number of MB as bytes, rounded up to a block. */
  static long bytes(String megabytes) throws UsageException {
    try {
      long size = Math.multiplyExact(Long.parseLong(megabytes), MB);
      return Math.addExact(size, ROUNDING - 1) / ROUNDING * ROUNDING;
    } catch (NumberFormatException | ArithmeticException e) {
      throw new UsageException("a size is a number of MB, not '" + megabytes + "'");
    }
  }

  /** What an image can; refused by name where it cannot. */
  static <T> T feature(BlockDevice device, Class<T> type, Path name) throws IOException {
    Optional<T> feature = device.feature(type);
    if (feature.isEmpty()) {
      throw new UnsupportedImageException(
          name + ": " + device.info().format() + " images have no such feature");
    }
    return feature.get();
  }
}
