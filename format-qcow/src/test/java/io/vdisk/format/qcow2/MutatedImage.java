package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A sound image of QEMU's, and what somebody made of it who knows the format: fields of the header,
 * its extensions and the words of all tables become what they may not be, or the file ends early.
 *
 * @param bytes what is left
 * @param part what was changed
 * @param what the changes, for a message
 */
record MutatedImage(byte[] bytes, String part, String what) {
  /** Bytes of the disk. */
  static final int SIZE = 300_032;

  private static final long MAGIC_ODDS = 40;

  /** What an image has. */
  enum Kind {
    USUAL(DamagedImage.Kind.USUAL),
    SMALL(DamagedImage.Kind.SMALL),
    OLD(DamagedImage.Kind.SNAPSHOTS_OF_OLD),
    SNAPSHOTS(DamagedImage.Kind.SNAPSHOTS),
    BITMAPS(DamagedImage.Kind.BITMAPS),
    EXTENDED(DamagedImage.Kind.EXTENDED_WITH_ALL),
    DATA_FILE(DamagedImage.Kind.DATA_FILE),
    ZSTD(DamagedImage.Kind.ZSTD),
    BACKED(null),
    LUKS(null);

    private final DamagedImage.Kind like;

    Kind(DamagedImage.Kind like) {
      this.like = like;
    }

    /** Makes it, and what it needs, in a folder. */
    byte[] make(Path folder) throws IOException {
      if (like != null) {
        return DamagedImage.make(folder, like);
      }
      Path image = folder.resolve("good.qcow2");
      Files.deleteIfExists(image);
      return this == LUKS ? makeEncrypted(image) : makeBacked(folder, image);
    }

    private static byte[] makeBacked(Path folder, Path image) throws IOException {
      Path below = folder.resolve("below.qcow2");
      Files.deleteIfExists(below);
      Qemu.succeed("qemu-img", "create", "-f", "qcow2", below, SIZE);
      Qemu.succeed("qemu-io", "-f", "qcow2", "-c", "write -P 5 30k 200k", below);
      Qemu.succeed(
          "qemu-img",
          "create",
          "-f",
          "qcow2",
          "-o",
          "cluster_size=4k",
          "-F",
          "qcow2",
          "-b",
          "below.qcow2",
          image);
      Qemu.succeed("qemu-io", "-f", "qcow2", "-c", "write -P 7 50k 20k", image);
      return Files.readAllBytes(image);
    }

    /** By us: QEMU cannot derive a key in no time. */
    private static byte[] makeEncrypted(Path image) throws IOException {
      CreateOptions options =
          CreateOptions.of("qcow2", SIZE)
              .withFormats(Qcow2Subject.FORMATS)
              .withSecrets(Samples.SECRETS);
      for (Map.Entry<String, String> choice : Qcow2Subject.LUKS.entrySet()) {
        options = options.withOption(choice.getKey(), choice.getValue());
      }
      try (BlockDevice device = Images.create(image, options)) {
        device.write(ByteBuffer.wrap(new byte[20_000]), 50_000);
      }
      return Files.readAllBytes(image);
    }

    /** How QEMU is told of an image. */
    String imageOptions(Path image) {
      String plain = "driver=qcow2,file.driver=file,file.filename=" + image;
      return this == LUKS ? plain + ",encrypt.key-secret=s" : plain;
    }
  }

  /** The passphrase of the encrypted image, as QEMU is told. */
  static final String SECRET = "secret,id=s,data=vdisk";

  /** Offset and bytes of each field of the header. */
  private static final List<int[]> FIELDS =
      List.of(
          new int[] {4, 4},
          new int[] {8, 8},
          new int[] {16, 4},
          new int[] {20, 4},
          new int[] {24, 8},
          new int[] {32, 4},
          new int[] {36, 4},
          new int[] {40, 8},
          new int[] {48, 8},
          new int[] {56, 4},
          new int[] {60, 4},
          new int[] {64, 8},
          new int[] {72, 8},
          new int[] {80, 8},
          new int[] {88, 8},
          new int[] {96, 4},
          new int[] {100, 4},
          new int[] {104, 1});

  /** Fields that only version 3 has begin here. */
  private static final int VERSION_2_FIELDS = 12;

  /** Whether it still says at its beginning what it is. */
  boolean isRecognised() {
    ByteBuffer header = ByteBuffer.wrap(Arrays.copyOf(bytes, 8));
    int version = header.getInt(4);
    return header.getInt(0) == (int) Qcow2Header.QFI && (version == 2 || version == 3);
  }

  /** What the header says, in whole sectors; as before where it cannot say. */
  long diskSize() {
    long size = bytes.length < 32 ? SIZE : ByteBuffer.wrap(bytes).getLong(24);
    return size < 0 ? SIZE : size & -512;
  }

  static MutatedImage of(byte[] sound, SplittableRandom random) {
    ByteBuffer image = ByteBuffer.wrap(sound.clone());
    StringBuilder what = new StringBuilder();
    String part = "";
    for (int left = 1 + random.nextInt(2); left > 0; left--) {
      int choice = random.nextInt(100);
      String now;
      if (choice < 35) {
        now = "header";
        changeHeader(image, random, what);
      } else if (choice < 50) {
        now = "extensions";
        changeExtensions(image, random, what);
      } else if (choice < 92) {
        now = "tables";
        changeTable(ByteBuffer.wrap(sound), image, random, what);
      } else {
        now = "end";
        int end = endOf(image, random);
        what.append("[ends at ").append(end).append(']');
        image = ByteBuffer.wrap(Arrays.copyOf(image.array(), end));
        left = 0;
      }
      part = part.isEmpty() || part.equals(now) ? now : part + "+" + now;
    }
    return new MutatedImage(image.array(), part, what.toString());
  }

  private static int endOf(ByteBuffer image, SplittableRandom random) {
    int length = image.capacity();
    int cluster = 4096;
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt(120);
      case 1 -> random.nextInt(length / cluster) * cluster + random.nextInt(3);
      default -> random.nextInt(length);
    };
  }

  private static void changeHeader(ByteBuffer image, SplittableRandom random, StringBuilder what) {
    if (random.nextInt((int) MAGIC_ODDS) == 0) {
      change(image, 0, 4, random, what);
      return;
    }
    int fields = image.getInt(4) == 2 ? VERSION_2_FIELDS : FIELDS.size();
    int[] field = FIELDS.get(random.nextInt(fields));
    change(image, field[0], field[1], random, what);
  }

  private static void changeExtensions(
      ByteBuffer image, SplittableRandom random, StringBuilder what) {
    int at = image.getInt(4) == 2 ? 72 : 104 + (image.getInt(100) == 112 ? 8 : 0);
    List<Integer> starts = new ArrayList<>(List.of(at));
    while (at + 8 < 512 && image.getInt(at) != 0 && image.getInt(at + 4) >= 0) {
      at += 8 + (image.getInt(at + 4) + 7) / 8 * 8;
      starts.add(Math.min(at, 488));
    }
    int start = starts.get(random.nextInt(starts.size()));
    switch (random.nextInt(4)) {
      case 0 -> {
        int[] types = {
          HeaderExtension.END,
          HeaderExtension.BACKING_FORMAT,
          HeaderExtension.BITMAPS,
          HeaderExtension.ENCRYPTION,
          HeaderExtension.DATA_FILE,
          0x1234_5678
        };
        put(image, start, 4, types[random.nextInt(types.length)], what);
      }
      case 1 -> change(image, start + 4, 4, random, what);
      case 2 -> change(image, start + 8, 8, random, what);
      default -> change(image, start + 8 * random.nextInt(3), 8, random, what);
    }
  }

  private static void changeTable(
      ByteBuffer sound, ByteBuffer image, SplittableRandom random, StringBuilder what) {
    List<List<DamagedImage.Table>> all = DamagedImage.tables(sound);
    int luks = luksHeader(sound);
    if (luks > 0) {
      all.add(List.of(new DamagedImage.Table(luks, 592)));
    }
    List<DamagedImage.Table> some = all.get(random.nextInt(all.size()));
    DamagedImage.Table table = some.get(random.nextInt(some.size()));
    int at = table.offset() + random.nextInt(Math.max(1, table.bytes() / 8)) * 8;
    at = Math.min(at, image.capacity() - 8);
    int half = random.nextInt(4);
    if (half == 0) {
      change(image, at + 4 * random.nextInt(2), 4, random, what);
    } else if (half == 1 && random.nextBoolean()) {
      int other = table.offset() + random.nextInt(Math.max(1, table.bytes() / 8)) * 8;
      other = Math.min(other, image.capacity() - 8);
      long word = image.getLong(at);
      put(image, at, 8, image.getLong(other), what);
      put(image, other, 8, word, what);
    } else {
      change(image, at, 8, random, what);
    }
  }

  private static int luksHeader(ByteBuffer image) {
    int at = image.getInt(4) == 2 ? 72 : image.getInt(100);
    while (image.getInt(at) != 0) {
      if (image.getInt(at) == HeaderExtension.ENCRYPTION) {
        return (int) image.getLong(at + 8);
      }
      at += 8 + (image.getInt(at + 4) + 7) / 8 * 8;
    }
    return 0;
  }

  /** Something that a bit error or somebody at the limits of a field would put there. */
  private static void change(
      ByteBuffer image, int at, int bytes, SplittableRandom random, StringBuilder what) {
    long old = get(image, at, bytes);
    long cluster = 1L << (image.getInt(20) & 31);
    int bits = 8 * bytes;
    long max = bytes == 8 ? -1 : (1L << bits) - 1;
    long now =
        switch (random.nextInt(13)) {
          case 0 -> 0;
          case 1 -> old + 1;
          case 2 -> old - 1;
          case 3, 4 -> old ^ 1L << random.nextInt(bits);
          case 5 -> max;
          case 6 -> max >>> 1;
          case 7 -> (image.capacity() + cluster - 1) / cluster * cluster;
          case 8 -> old + cluster;
          case 9 -> old ^ 5L << random.nextInt(Math.max(1, bits - 2));
          case 10 -> image.getLong(random.nextBoolean() ? 40 : 48); // another table
          case 11 -> old ^ 1L << (bits - 1);
          default -> 1L << random.nextInt(bits);
        };
    put(image, at, bytes, now & max, what);
  }

  private static long get(ByteBuffer image, int at, int bytes) {
    return switch (bytes) {
      case 1 -> image.get(at) & 0xff;
      case 4 -> Integer.toUnsignedLong(image.getInt(at));
      default -> image.getLong(at);
    };
  }

  private static void put(ByteBuffer image, int at, int bytes, long now, StringBuilder what) {
    what.append(String.format("[%#x: %#x -> %#x]", at, get(image, at, bytes), now));
    switch (bytes) {
      case 1 -> image.put(at, (byte) now);
      case 4 -> image.putInt(at, (int) now);
      default -> image.putLong(at, now);
    }
  }
}
