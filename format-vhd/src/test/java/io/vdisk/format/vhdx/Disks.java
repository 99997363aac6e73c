package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.feature.Checking;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Images in files, and what is done with them. */
final class Disks {
  private Disks() {}

  static BlockDevice open(Path image, boolean writable) throws IOException {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return Images.open(
        image,
        options.withFormats(VhdxSubject.FORMATS).withReferences(ReferencePolicy.sameDirectory()));
  }

  static BlockDevice create(Path image, long size, String... options) throws IOException {
    CreateOptions creation = CreateOptions.of("vhdx", size).withFormats(VhdxSubject.FORMATS);
    for (String option : options) {
      String[] parts = option.split("=", 2);
      creation = creation.withOption(parts[0], parts[1]);
    }
    return Images.create(image, creation);
  }

  static BlockDevice createChild(Path image, String parent, String... options) throws IOException {
    CreateOptions creation =
        CreateOptions.overlay("vhdx", parent, "vhdx")
            .withFormats(VhdxSubject.FORMATS)
            .withReferences(ReferencePolicy.sameDirectory());
    for (String option : options) {
      String[] parts = option.split("=", 2);
      creation = creation.withOption(parts[0], parts[1]);
    }
    return Images.create(image, creation);
  }

  static byte[] read(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(device.size()));
    device.read(all, 0);
    return all.array();
  }

  static byte[] read(Path image) throws IOException {
    try (BlockDevice device = open(image, false)) {
      return read(device);
    }
  }

  /** What a check has to say of an image, warnings too. */
  static List<String> findings(Path image) throws IOException {
    try (BlockDevice device = open(image, false)) {
      return device.feature(Checking.class).orElseThrow().check((d, t) -> true).findings().stream()
          .map(finding -> finding.severity() + " " + finding.message())
          .toList();
    }
  }

  /** Writes to a disk and its model alike: few bytes as a rule, sometimes more than a block. */
  static void write(BlockDevice device, byte[] model, int writes, Random random)
      throws IOException {
    for (int i = 0; i < writes; i++) {
      int most = random.nextInt(10) == 0 ? 3 << 20 : 20_000;
      byte[] bytes = new byte[1 + random.nextInt(Math.min(most, model.length))];
      random.nextBytes(bytes);
      int offset = random.nextInt(model.length - bytes.length + 1);
      device.write(ByteBuffer.wrap(bytes), offset);
      System.arraycopy(bytes, 0, model, offset, bytes.length);
    }
  }

  /** Changes a disk and its model alike. */
  static void change(BlockDevice device, byte[] model, int operations, Random random)
      throws IOException {
    for (int i = 0; i < operations; i++) {
      int most = random.nextInt(40) == 0 ? 3 << 20 : 20_000;
      int length = 1 + random.nextInt(Math.min(most, model.length));
      int offset = random.nextInt(model.length - length + 1);
      switch (random.nextInt(10)) {
        case 0 -> {
          device.writeZeroes(offset, length);
          Arrays.fill(model, offset, offset + length, (byte) 0);
        }
        case 1 -> {
          int block = (int) device.info().unit();
          int from = offset / block * block;
          int to = Math.min(model.length, from + block);
          device.writeZeroes(from, to - from);
          Arrays.fill(model, from, to, (byte) 0);
        }
        case 2 -> {
          device.discard(offset, length);
          device.read(ByteBuffer.wrap(model, offset, length), offset);
        }
        default -> {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          device.write(ByteBuffer.wrap(bytes), offset);
          System.arraycopy(bytes, 0, model, offset, length);
        }
      }
      if (random.nextInt(50) == 0) {
        device.flush();
      }
    }
  }
}
