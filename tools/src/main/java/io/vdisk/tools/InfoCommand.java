package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * {@code vdisk info}: what an image says of itself; with {@code --backing-chain} also those below
 * it, under the policy for what images name. Otherwise it follows nothing that the image names.
 */
final class InfoCommand {
  static final String USAGE =
      "vdisk info [--backing-chain] [-f FORMAT] [-U] [--image-opts] [--output=json|human]"
          + " [--backing-policy=deny|same-directory|within=DIR|any] FILE";

  /** What qemu-img shows beside the format's own fields. */
  private static final Set<String> COMMON = Set.of("encrypted", "dirty-flag");

  private static final String BITMAPS = "bitmaps";

  private InfoCommand() {}

  static int run(List<String> words, Console console) throws IOException, UsageException {
    Arguments arguments = Opening.syntax().value("--output").flag("--backing-chain").parse(words);
    if (Help.asked(arguments, USAGE, console)) {
      return 0;
    }
    NamedImage image = NamedImage.of(arguments, arguments.operands(1, "one FILE").get(0));
    boolean json = Help.isJson(arguments);
    PrintStream out = console.out();
    Path path = image.path();
    Opening opening = Opening.of(arguments, console, "vdisk");
    try (BlockDevice device = opening.alone(path, image.format())) {
      if (arguments.has("--backing-chain")) {
        chain(image, device, opening, json, out);
      } else if (json) {
        out.println(Json.of(fields(image.file(), path, device)));
      } else {
        print(image.file(), path, device, out);
      }
    }
    return 0;
  }

  private static void chain(
      NamedImage image, BlockDevice device, Opening opening, boolean json, PrintStream out)
      throws IOException {
    Path path = image.path();
    List<Object> all = new ArrayList<>();
    if (json) {
      all.add(fields(image.file(), path, device));
    } else {
      print(image.file(), path, device, out);
    }
    Object key;
    try (HostFile file = LocalFile.open(path, false, false)) {
      key = file.key();
    }
    Path[] place = {path};
    new BackingChain(opening.options())
        .walk(
            device,
            key,
            (reference, below) -> {
              String file = actual(place[0], reference);
              place[0] = below.file().path().orElse(place[0]);
              if (json) {
                all.add(fields(file, place[0], below.device()));
              } else {
                out.println();
                print(file, place[0], below.device(), out);
              }
            });
    if (json) {
      out.println(Json.of(all));
    }
  }

  /** What the file occupies, where this JVM can ask for it. */
  private static OptionalLong diskSize(Path path) throws IOException {
    try (HostFile file = LocalFile.open(path, false, false)) {
      return file.allocatedSize();
    }
  }

  private static List<Snapshots.Snapshot> snapshots(BlockDevice device) throws IOException {
    Optional<Snapshots> snapshots = device.feature(Snapshots.class);
    return snapshots.isPresent() ? snapshots.get().list() : List.of();
  }

  private static Map<String, Object> fields(String file, Path path, BlockDevice device)
      throws IOException {
    ImageInfo info = device.info();
    OptionalLong diskSize = diskSize(path);
    List<Snapshots.Snapshot> snapshots = snapshots(device);
    Map<String, Object> fields = new LinkedHashMap<>();
    if (!snapshots.isEmpty()) {
      fields.put("snapshots", SnapshotTable.fields(snapshots));
    }
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
    Map<String, Object> own = own(device);
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

  /** The format's own fields; bitmaps stand where qemu-img has them. */
  private static Map<String, Object> own(BlockDevice device) throws IOException {
    Map<String, Object> own = new LinkedHashMap<>(device.info().details());
    own.keySet().removeAll(COMMON);
    Optional<DirtyBitmaps> bitmaps = device.feature(DirtyBitmaps.class);
    if (bitmaps.isEmpty() || own.containsKey(BITMAPS)) {
      return own;
    }
    List<Object> list = bitmaps(bitmaps.get().list());
    if (list.isEmpty()) {
      return own;
    }
    Map<String, Object> all = new LinkedHashMap<>();
    for (Map.Entry<String, Object> field : own.entrySet()) {
      if (field.getKey().equals("refcount-bits")) {
        all.put(BITMAPS, list);
      }
      all.put(field.getKey(), field.getValue());
    }
    all.putIfAbsent(BITMAPS, list);
    return all;
  }

  private static List<Object> bitmaps(List<DirtyBitmaps.Bitmap> bitmaps) {
    List<Object> list = new ArrayList<>();
    for (DirtyBitmaps.Bitmap bitmap : bitmaps) {
      List<String> flags = new ArrayList<>();
      if (!bitmap.consistent()) {
        flags.add("in-use");
      }
      if (bitmap.enabled()) {
        flags.add("auto");
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("flags", flags);
      fields.put("name", bitmap.name());
      fields.put("granularity", bitmap.granularity());
      list.add(fields);
    }
    return list;
  }

  private static void print(String file, Path path, BlockDevice device, PrintStream out)
      throws IOException {
    ImageInfo info = device.info();
    OptionalLong diskSize = diskSize(path);
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
    SnapshotTable.print(snapshots(device), out);
    Map<String, Object> own = own(device);
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
    String name = backing.name();
    int colon = name.indexOf(':');
    if (colon >= 0 && name.lastIndexOf('/', colon) < 0) {
      return name; // what stands before the colon is a protocol
    }
    try {
      return image.resolveSibling(name).toString();
    } catch (java.nio.file.InvalidPathException e) {
      return name;
    }
  }

  private static String size(long bytes) {
    return ByteSize.describe(bytes) + " (" + bytes + " bytes)";
  }
}
