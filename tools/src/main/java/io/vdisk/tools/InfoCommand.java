package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** {@code vdisk info}: what an image says of itself. Follows nothing that it names. */
final class InfoCommand {
  static final String USAGE =
      "vdisk info [-f FORMAT] [-U] [--image-opts] [--output=json|human] FILE";

  /** What qemu-img shows beside the format's own fields. */
  private static final Set<String> COMMON = Set.of("encrypted", "dirty-flag");

  private InfoCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments = Opening.syntax().value("--output").parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    String file = image.file();
    boolean json = Help.isJson(arguments);
    Path path = image.path();
    try (BlockDevice device = Opening.of(arguments, console, "vdisk").alone(path, image.format())) {
      if (json) {
        console.out().println(Json.of(fields(file, path, device.info(), diskSize(path))));
      } else {
        print(file, path, device.info(), diskSize(path), console.out());
      }
    }
    return 0;
  }

  /** What the file occupies, where this JVM can ask for it. */
  private static OptionalLong diskSize(Path path) throws IOException {
    try (HostFile file = LocalFile.open(path, false, false)) {
      return file.allocatedSize();
    }
  }

  private static Map<String, Object> fields(
      String file, Path path, ImageInfo info, OptionalLong diskSize) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("virtual-size", info.virtualSize());
    fields.put("filename", file);
    if (info.unit() > 1) {
      fields.put("cluster-size", info.unit());
    }
    fields.put("format", info.format());
    diskSize.ifPresent(size -> fields.put("actual-size", size));
    info.backing()
        .ifPresent(
            backing -> {
              fields.put("full-backing-filename", actual(path, backing));
              fields.put("backing-filename", backing.name());
              backing.format().ifPresent(format -> fields.put("backing-filename-format", format));
            });
    Map<String, Object> own = own(info);
    if (!own.isEmpty()) {
      Map<String, Object> specific = new LinkedHashMap<>();
      specific.put("type", info.format());
      specific.put("data", own);
      fields.put("format-specific", specific);
    }
    if (Boolean.TRUE.equals(info.details().get("encrypted"))) {
      fields.put("encrypted", true);
    }
    fields.put("dirty-flag", Boolean.TRUE.equals(info.details().get("dirty-flag")));
    return fields;
  }

  private static Map<String, Object> own(ImageInfo info) {
    Map<String, Object> own = new LinkedHashMap<>(info.details());
    own.keySet().removeAll(COMMON);
    return own;
  }

  private static void print(
      String file, Path path, ImageInfo info, OptionalLong diskSize, PrintStream out)
      throws IOException {
    out.println("image: " + file);
    out.println("file format: " + info.format());
    out.println("virtual size: " + size(info.virtualSize()));
    diskSize.ifPresent(bytes -> out.println("disk size: " + ByteSize.describe(bytes)));
    if (Files.isRegularFile(path)) {
      out.println("file length: " + size(Files.size(path)));
    }
    if (Boolean.TRUE.equals(info.details().get("encrypted"))) {
      out.println("encrypted: yes");
    }
    if (info.unit() > 1) {
      out.println("cluster_size: " + info.unit());
    }
    if (Boolean.TRUE.equals(info.details().get("dirty-flag"))) {
      out.println("cleanly shut down: no");
    }
    Optional<Reference> backing = info.backing();
    if (backing.isPresent()) {
      String actual = actual(path, backing.get());
      String name = backing.get().name();
      out.println(
          "backing file: " + name + (actual.equals(name) ? "" : " (actual path: " + actual + ")"));
      backing.get().format().ifPresent(format -> out.println("backing file format: " + format));
    }
    Map<String, Object> own = own(info);
    if (!own.isEmpty()) {
      out.println("Format specific information:");
      print(own, "    ", out);
    }
  }

  private static void print(Map<?, ?> fields, String indent, PrintStream out) {
    for (Map.Entry<?, ?> field : fields.entrySet()) {
      String name = String.valueOf(field.getKey()).replace('-', ' ');
      if (field.getValue() instanceof Map<?, ?> inner) {
        out.println(indent + name + ":");
        print(inner, indent + "    ", out);
      } else if (field.getValue() instanceof List<?> list) {
        Map<String, Object> numbered = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i++) {
          numbered.put("[" + i + "]", list.get(i));
        }
        out.println(indent + name + ":");
        print(numbered, indent + "    ", out);
      } else {
        out.println(indent + name + ": " + field.getValue());
      }
    }
  }

  /** Where the named file lies, seen from here; names that are no paths stay as they are. */
  private static String actual(Path image, Reference backing) {
    try {
      return image.resolveSibling(backing.name()).toString();
    } catch (java.nio.file.InvalidPathException e) {
      return backing.name();
    }
  }

  private static String size(long bytes) {
    return ByteSize.describe(bytes) + " (" + bytes + " bytes)";
  }
}
