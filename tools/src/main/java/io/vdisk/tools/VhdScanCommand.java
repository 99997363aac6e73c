package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code vdisk vhd scan}: a line for each image of a folder, with {@code -p} as a tree. */
final class VhdScanCommand {
  static final VhdSyntax COMMAND =
      new VhdSyntax(
          new Arguments.Syntax()
              .flag("-h", "--help")
              .flag("-U", "--force-share")
              .value("--backing-policy")
              .value("-m", "--match")
              .flag("-f", "--fast")
              .flag("-c", "--continue")
              .value("-l", "--volumes")
              .flag("-p", "--pretty")
              .flag("-a", "--ancestors")
              .flag("-v", "--verbose")
              .flag("-M", "--markers"),
          "usage: [OPTIONS] FILES\n"
              + "options: [-m match filter] [-f fast] [-c continue on failure] [-p pretty print]"
              + " [-a scan parents] [-v verbose] [-h help] [-M show markers]",
          0,
          (arguments, console) -> new VhdScanCommand(arguments, console).scan());

  private static final int INDENT = 3;

  /** One file of the scan. */
  private static final class Found {
    final Path path;
    final boolean isRaw;
    long capacity;
    long size;
    long hidden;
    long marker;
    String keyHash = "";
    Optional<Path> parent = Optional.empty();
    String failure = "";
    int error;
    final List<Found> children = new ArrayList<>();
    boolean isBelowAnother;

    Found(Path path, boolean isRaw) {
      this.path = path;
      this.isRaw = isRaw;
    }
  }

  private final Arguments arguments;
  private final Console console;
  private final Opening opening;
  private final boolean isPretty;

  private VhdScanCommand(Arguments arguments, Console console) throws UsageException {
    this.arguments = arguments;
    this.console = console;
    this.opening = Opening.of(arguments, console, "vdisk");
    this.isPretty = arguments.has("--pretty");
  }

  private int scan() throws UsageException {
    if (arguments.has("--volumes")) {
      throw new UsageException("-l is not done: name the devices of the volumes as files");
    }
    if (!arguments.has("--match") && arguments.operands().isEmpty()) {
      throw new UsageException("FILES are missing");
    }
    List<Found> all = new ArrayList<>();
    try {
      for (Path path : targets()) {
        all.add(new Found(path, false));
      }
    } catch (IOException e) {
      int code = Errno.of(e).number();
      console.err().println("scan failed: " + -code + ". " + Failures.sentence(e));
      return code;
    }
    int code = 0;
    for (int i = 0; i < all.size(); i++) {
      Found image = all.get(i);
      look(image);
      if (!isPretty || image.error != 0) {
        print(image, 0);
      }
      if (arguments.has("--ancestors") && image.parent.isPresent()) {
        addParent(all, image);
      }
      if (image.error != 0 && !arguments.has("--continue")) {
        code = image.error;
        break;
      }
    }
    if (isPretty) {
      printTrees(all);
    }
    return code;
  }

  private List<Path> targets() throws IOException {
    List<Path> paths = new ArrayList<>();
    Optional<String> filter = arguments.value("--match");
    if (filter.isPresent()) {
      Path pattern = Path.of(filter.get());
      Path folder = pattern.toAbsolutePath().getParent();
      Path given = pattern.getParent();
      String glob = String.valueOf(pattern.getFileName());
      try (DirectoryStream<Path> stream =
          Files.newDirectoryStream(folder == null ? pattern : folder, glob)) {
        for (Path path : stream) {
          Path name = path.getFileName();
          paths.add(given == null ? name : given.resolve(name));
        }
      }
      paths.sort(Comparator.naturalOrder());
    }
    arguments.operands().forEach(name -> paths.add(Path.of(name)));
    return paths;
  }

  private void look(Found image) {
    String doing = "opening file";
    try {
      image.size = Files.size(image.path);
      if (image.isRaw) {
        image.capacity = image.size;
        image.hidden = 1; // whoever lists images for use is not to offer it
        return;
      }
      try (BlockDevice disk = opening.alone(image.path, Optional.of("vhd"))) {
        ImageInfo info = disk.info();
        image.capacity = VhdQueryCommand.detail(info, "current-size");
        image.hidden = VhdQueryCommand.detail(info, "hidden");
        image.marker = VhdQueryCommand.detail(info, "marker");
        image.keyHash = String.valueOf(info.details().getOrDefault("key-hash", ""));
        doing = "getting parent";
        Optional<Reference> parent = info.backing();
        image.parent = parent.isEmpty() ? Optional.empty() : Optional.of(place(parent.get()));
      }
    } catch (IOException e) {
      image.error = Errno.of(e).number();
      image.failure = doing;
      Failures.print(console, "vdisk", e);
    }
  }

  /** Where the parent is, or what it is called if it is not there, or {@code -f} does not look. */
  private Path place(Reference parent) throws IOException {
    if (!arguments.has("--fast") || isPretty) {
      try (HostFile file = opening.options().references().open(parent)) {
        return file.path().orElseThrow().toRealPath();
      } catch (IOException e) {
        return Path.of(parent.name());
      }
    }
    return Path.of(parent.name());
  }

  private static void addParent(List<Found> all, Found image) {
    Path parent = image.parent.orElseThrow();
    for (Found known : all) {
      if (String.valueOf(known.path.getFileName()).equals(String.valueOf(parent.getFileName()))) {
        return;
      }
    }
    all.add(new Found(parent, !isVhd(parent)));
  }

  private static boolean isVhd(Path path) {
    try {
      return Opening.probe(path).filter("vhd"::equals).isPresent() || !Files.exists(path);
    } catch (IOException e) {
      return true;
    }
  }

  private void print(Found image, int indent) {
    String pad = " ".repeat(indent);
    if (image.error != 0) {
      console
          .out()
          .println(
              pad
                  + "vhd="
                  + image.path
                  + " scan-error="
                  + -image.error
                  + " error-message='"
                  + image.failure
                  + "'");
      return;
    }
    StringBuilder line = new StringBuilder(pad);
    line.append("vhd=").append(shown(image.path));
    line.append(" capacity=").append(image.capacity);
    line.append(" size=").append(image.size);
    line.append(" hidden=").append(image.hidden);
    if (arguments.has("--markers")) {
      line.append(" marker=").append(image.marker);
      line.append(" keyhash=").append(image.keyHash);
    }
    line.append(" parent=").append(image.parent.map(this::shown).orElse("none"));
    if (isPretty && image.parent.isPresent() && !image.isBelowAnother) {
      line.append(" (not found in scan)");
    }
    console.out().println(line);
  }

  private String shown(Path path) {
    if (!arguments.has("--verbose")) {
      return String.valueOf(path.getFileName());
    }
    return (isPretty ? real(path) : path).toString();
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path.toAbsolutePath();
    }
  }

  /** Those that are hidden come first, as nobody uses them alone; under an image, last. */
  private void printTrees(List<Found> all) {
    Map<Path, Found> byPath = new HashMap<>();
    List<Found> images = new ArrayList<>();
    for (Found image : all) {
      if (image.error == 0 && byPath.putIfAbsent(real(image.path), image) == null) {
        images.add(image);
      }
    }
    images.sort(Comparator.comparing(image -> real(image.path)));
    for (Found image : images) {
      Found parent = image.parent.map(byPath::get).orElse(null);
      if (parent != null && !parent.equals(image)) {
        parent.children.add(image);
        image.isBelowAnother = true;
      }
    }
    List<Found> roots = new ArrayList<>();
    images.stream().filter(i -> !i.isBelowAnother && i.hidden != 0).forEach(roots::add);
    images.stream().filter(i -> !i.isBelowAnother && i.hidden == 0).forEach(roots::add);
    roots.forEach(root -> printTree(root, 0));
  }

  private void printTree(Found image, int depth) {
    print(image, depth * INDENT);
    image.children.stream()
        .filter(child -> child.hidden == 0)
        .forEach(child -> printTree(child, depth + 1));
    image.children.stream()
        .filter(child -> child.hidden != 0)
        .forEach(child -> printTree(child, depth + 1));
  }
}
