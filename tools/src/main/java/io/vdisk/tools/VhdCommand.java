package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageCommit;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.JournalReplay;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code vdisk vhd COMMAND}: the commands of Xen's {@code vhd-util} by its letters and with its
 * lines, sizes in MB. They make images with {@code xen=on}; what they change they change by
 * features, so that images of other formats have what these offer.
 */
final class VhdCommand {
  static final String USAGE =
      "vdisk vhd COMMAND -n NAME [OPTIONS]; COMMAND is one of check, coalesce, create, fill, modify,"
          + " query, repair, resize, revert, set, snapshot, with the letters of vhd-util";

  private static final int STEP = 1 << 20;

  /** The exit code of an image that is not valid: EINVAL. */
  private static final int INVALID = 22;

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final Path name;
  private final VhdImage image;

  private VhdCommand(Arguments arguments, Console console) throws UsageException {
    this.arguments = arguments;
    this.console = console;
    this.opening = Opening.of(arguments, console, "vdisk");
    this.name = Path.of(required(arguments, "-n"));
    this.image = new VhdImage(arguments, console, opening, name);
  }

  static int run(List<String> words, Console console) throws IOException, UsageException {
    if (words.isEmpty() || words.get(0).equals("-h") || words.get(0).equals("--help")) {
      console.out().println("usage: " + USAGE);
      return 0;
    }
    String command = words.get(0);
    Arguments arguments = syntax(command).parse(words.subList(1, words.size()));
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    arguments.operands(0, "no operand");
    return new VhdCommand(arguments, console).run(command);
  }

  private static Arguments.Syntax syntax(String command) throws UsageException {
    Arguments.Syntax syntax =
        new Arguments.Syntax().flag("-h", "--help").value("-n").value("--backing-policy");
    return switch (command) {
      case "create" -> syntax.value("-s").value("-S").flag("-r");
      case "snapshot" -> syntax.value("-p").value("-l").value("-S").flag("-m").flag("-e");
      case "query" -> flags(syntax, "vspfmdSau");
      case "set" -> syntax.value("-f").value("-v");
      case "resize" -> syntax.value("-s").value("-j").flag("-f");
      case "coalesce" -> syntax.flag("-p").flag("-s");
      case "modify" -> syntax.value("-p").flag("-m");
      case "check" -> flags(syntax, "iItpbBs");
      case "repair" -> syntax.flag("-b");
      case "fill" -> syntax;
      case "revert" -> syntax.value("-j");
      default -> throw new UsageException("invalid COMMAND " + command);
    };
  }

  private static Arguments.Syntax flags(Arguments.Syntax syntax, String letters) {
    for (int i = 0; i < letters.length(); i++) {
      syntax.flag("-" + letters.charAt(i));
    }
    return syntax;
  }

  private int run(String command) throws IOException, UsageException {
    switch (command) {
      case "create" -> image.create();
      case "snapshot" -> image.snapshot();
      case "query" -> image.query();
      case "set" -> set();
      case "resize" -> resize();
      case "coalesce" -> coalesce();
      case "modify" -> modify();
      case "repair" -> repair();
      case "fill" -> fill();
      case "revert" -> revert();
      default -> {
        return check();
      }
    }
    return 0;
  }

  private String required(String letter) throws UsageException {
    return required(arguments, letter);
  }

  static String required(Arguments arguments, String letter) throws UsageException {
    Optional<String> value = arguments.value(letter);
    if (value.isEmpty()) {
      throw new UsageException(letter + " is missing");
    }
    return value.get();
  }

  private void set() throws IOException, UsageException {
    String field = required("-f");
    if (!field.equals("hidden") && !field.equals("marker")) {
      throw new UsageException("invalid field " + field);
    }
    try (BlockDevice device = opening.writeAlone(name, Optional.empty())) {
      VhdImage.feature(device, Amending.class, name)
          .amend(Map.of(field, required("-v")), Progress.NONE);
    }
  }

  /** No journal is needed: each step leaves a whole image. */
  private void resize() throws IOException, UsageException {
    long size = VhdImage.bytes(required("-s"));
    try (BlockDevice device = opening.write(name, Optional.empty())) {
      if (size < device.size()) {
        throw new IOException(name + ": size (" + size + ") < curr size (" + device.size() + ")");
      }
      VhdImage.feature(device, Resizing.class, name).resize(size);
    }
  }

  private void coalesce() throws IOException {
    try (BlockDevice alone = opening.alone(name, Optional.empty())) {
      Reference named =
          alone
              .info()
              .backing()
              .orElseThrow(
                  () ->
                      new UnsupportedImageException(
                          "coalescing of non-differencing disks is not supported"));
      OpenOptions options = opening.options();
      Reference writable =
          new Reference(named.kind(), named.name(), named.format(), named.from(), true);
      try (BackingChain.Link base =
              new BackingChain(options).open(writable, options.asReadWrite());
          BlockDevice child = Images.open(name, options.withBacking(base.device()))) {
        long copied = ImageCommit.of(child, base.device()).run().written();
        console.out().print("Coalesced " + copied / 512 + " sectors");
      }
    }
  }

  private void modify() throws IOException, UsageException {
    String parent = required("-p");
    try (BlockDevice device = opening.writeAlone(name, Optional.empty())) {
      VhdImage.feature(device, BackingLink.class, name)
          .change(Optional.of(parent), Optional.of(arguments.has("-m") ? "raw" : VhdImage.FORMAT));
    }
  }

  private int check() throws IOException {
    try (BlockDevice device = opening.alone(name, Optional.empty())) {
      CheckReport report = VhdImage.feature(device, Checking.class, name).check(Progress.NONE);
      report.findings().forEach(finding -> console.err().println(finding.message()));
      boolean isValid = report.errors() == 0 && report.unchecked() == 0;
      console.out().println(name + (isValid ? " is valid" : " appears invalid"));
      return isValid ? 0 : INVALID;
    }
  }

  private void repair() throws IOException {
    try (BlockDevice device = opening.repair(name, Optional.empty())) {
      CheckReport unused =
          VhdImage.feature(device, Repairing.class, name)
              .repair(Repairing.Scope.ALL, Progress.NONE);
    }
  }

  /** Writes zeroes to the whole disk, so that every block has its place. */
  private void fill() throws IOException {
    try (BlockDevice device = opening.write(name, Optional.empty())) {
      ByteBuffer zeroes = ByteBuffer.allocateDirect(STEP);
      for (long at = 0; at < device.size(); at += zeroes.limit()) {
        zeroes.clear().limit((int) Math.min(STEP, device.size() - at));
        device.write(zeroes, at);
      }
    }
  }

  private void revert() throws IOException, UsageException {
    try (HostFile journal = LocalFile.open(Path.of(required("-j")), false);
        BlockDevice device = opening.repair(name, Optional.empty())) {
      VhdImage.feature(device, JournalReplay.class, name).replay(journal);
    }
  }
}
