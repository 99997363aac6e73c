package io.vdisk.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Images of QEMU's with all that qcow2 has, small, and what bit errors and lost writes do to their
 * tables.
 */
final class DamagedImage {
  /** What the images are made of, whatever the seed. */
  private static final long CONTENT_SEED = 4711;

  /** What an image has. */
  enum Kind {
    SMALL("cluster_size=512"),
    NARROW("cluster_size=4k,refcount_bits=8"),
    USUAL("cluster_size=64k"),
    SNAPSHOTS("cluster_size=4k"),
    SNAPSHOTS_OF_SMALL("cluster_size=512,refcount_bits=8"),
    SNAPSHOTS_OF_OLD("cluster_size=4k,compat=0.10"),
    BITMAPS("cluster_size=4k"),
    EXTENDED("cluster_size=16k,extended_l2=on"),
    EXTENDED_WITH_ALL("cluster_size=16k,extended_l2=on,refcount_bits=64"),
    DATA_FILE("cluster_size=4k"),
    EXTENDED_DATA_FILE("cluster_size=16k,extended_l2=on"),
    ZSTD("cluster_size=4k,compression_type=zstd,refcount_bits=1");

    final String options;

    Kind(String options) {
      this.options = options;
    }

    boolean hasDataFile() {
      return name().contains("DATA_FILE");
    }

    boolean hasSnapshots() {
      return name().contains("SNAPSHOTS") || this == EXTENDED_WITH_ALL;
    }

    boolean hasBitmaps() {
      return this == BITMAPS || this == EXTENDED_WITH_ALL;
    }
  }

  private DamagedImage() {}

  /** Makes an image without faults. */
  static byte[] make(Path folder, Kind kind) throws IOException {
    byte[] content = new byte[300_000];
    new Random(CONTENT_SEED).nextBytes(content);
    Arrays.fill(content, 50_000, 200_000, (byte) 7);
    Path raw = Files.write(folder.resolve("raw"), content);
    Path image = folder.resolve("good.qcow2");
    Files.deleteIfExists(image);
    if (kind.hasDataFile()) {
      Path data = folder.resolve("data");
      Files.deleteIfExists(data);
      Qemu.succeed(
          "qemu-img",
          "convert",
          "-O",
          "qcow2",
          "-o",
          kind.options + ",data_file=" + data,
          raw,
          image);
    } else {
      Qemu.succeed("qemu-img", "convert", "-c", "-O", "qcow2", "-o", kind.options, raw, image);
    }
    io(image, "write 10k 70k", "write -z 100k 64k", "write 210k 3k");
    if (kind.hasBitmaps()) {
      Qemu.succeed("qemu-img", "bitmap", "--add", "-g", "512", image, "one");
      io(image, "write 5k 9k");
      Qemu.succeed("qemu-img", "bitmap", "--add", "--disable", "-g", "64k", image, "another");
      io(image, "write 150k 9k");
    }
    if (kind.hasSnapshots()) {
      Qemu.succeed("qemu-img", "snapshot", "-c", "first", image);
      io(image, "write 20k 20k", "discard 60k 16k");
      Qemu.succeed("qemu-img", "snapshot", "-c", "second", image);
      io(image, "write 30k 20k", "write -z 240k 8k");
    }
    Qemu.check(image);
    return Files.readAllBytes(image);
  }

  private static void io(Path image, String... commands) throws IOException {
    List<Object> words = new ArrayList<>(List.of("qemu-io", "-f", "qcow2"));
    for (String command : commands) {
      words.add("-c");
      words.add(command);
    }
    Qemu.succeed(words.add(image) ? words.toArray() : words.toArray());
  }

  /** A table of the image: where it lies, and bytes of it that are worth changing. */
  record Table(int offset, int bytes) {}

  /** The tables of an image without faults. */
  static List<List<Table>> tables(ByteBuffer image) {
    int cluster = 1 << image.getInt(20);
    List<Table> l1 =
        new ArrayList<>(List.of(new Table((int) image.getLong(40), image.getInt(36) * 8)));
    List<Table> snapshots = new ArrayList<>();
    int at = (int) image.getLong(64);
    for (int left = image.getInt(60); left > 0; left--) {
      l1.add(new Table((int) image.getLong(at), image.getInt(at + 8) * 8));
      int bytes = 40 + image.getInt(at + 36) + image.getShort(at + 12) + image.getShort(at + 14);
      snapshots.add(new Table(at, 56));
      at += (bytes + 7) / 8 * 8;
    }
    List<Table> l2 = new ArrayList<>();
    for (Table table : l1) {
      for (int i = 0; i < table.bytes; i += 8) {
        int offset = (int) (image.getLong(table.offset + i) & L2Entry.OFFSET);
        if (offset != 0) {
          l2.add(new Table(offset, Math.min(cluster, 400)));
        }
      }
    }
    int refcountTable = (int) image.getLong(48);
    List<Table> blocks = new ArrayList<>();
    for (int i = 0; i < cluster / 8; i++) {
      int block = (int) image.getLong(refcountTable + i * 8);
      if (block != 0) {
        blocks.add(new Table(block, Math.min(cluster, 160)));
      }
    }
    List<List<Table>> all = new ArrayList<>();
    all.add(l1);
    all.add(l2);
    all.add(l2);
    all.add(blocks);
    all.add(List.of(new Table(refcountTable, 16)));
    if (!snapshots.isEmpty()) {
      all.add(snapshots);
    }
    List<Table> bitmaps = bitmaps(image);
    if (!bitmaps.isEmpty()) {
      all.add(bitmaps);
    }
    return all;
  }

  private static List<Table> bitmaps(ByteBuffer image) {
    List<Table> found = new ArrayList<>();
    int at = image.getInt(4) == 2 ? 72 : image.getInt(100);
    while (image.getInt(at) != 0) {
      if (image.getInt(at) == HeaderExtension.BITMAPS) {
        int directory = (int) image.getLong(at + 24);
        found.add(new Table(directory, 24));
        found.add(new Table((int) image.getLong(directory), image.getInt(directory + 8) * 8));
      }
      at += 8 + (image.getInt(at + 4) + 7) / 8 * 8;
    }
    return found;
  }

  /** Changes one to four words of tables, in a way that a bit error or a lost write would. */
  static String damage(byte[] image, SplittableRandom random) {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    int clusterSize = 1 << bytes.getInt(20);
    List<List<Table>> all = tables(bytes.duplicate());
    StringBuilder where = new StringBuilder();
    for (int left = 1 + random.nextInt(4); left > 0; ) {
      List<Table> some = all.get(random.nextInt(all.size()));
      Table table = some.get(random.nextInt(some.size()));
      int at = table.offset + random.nextInt(Math.max(1, table.bytes / 8)) * 8;
      at = Math.min(at, image.length - 8);
      long old = bytes.getLong(at);
      long now =
          switch (random.nextInt(7)) {
            case 0 -> 0;
            case 1 -> old ^ 1L << 63;
            case 2 -> old + clusterSize;
            case 3 -> old ^ 1L << random.nextInt(64);
            case 4 -> old ^ 1L << random.nextInt(20);
            case 5 -> old ^ 5L << random.nextInt(62);
            default -> bytes.getLong(table.offset);
          };
      if (now == old) {
        continue;
      }
      left--;
      bytes.putLong(at, now);
      where.append(String.format("[%#x: %#x -> %#x]", at, old, now));
    }
    return where.toString();
  }
}
