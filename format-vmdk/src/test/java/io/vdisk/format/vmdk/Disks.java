package io.vdisk.format.vmdk;

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

  static OpenOptions opening(boolean writable) {
    OpenOptions options = writable ? OpenOptions.readWrite() : OpenOptions.readOnly();
    return options.withFormats(VmdkSubject.FORMATS).withReferences(ReferencePolicy.sameDirectory());
  }

  static BlockDevice open(Path image, boolean writable) throws IOException {
    return Images.open(image, opening(writable));
  }

  static BlockDevice create(Path image, long size, String... options) throws IOException {
    return Images.create(image, with(CreateOptions.of("vmdk", size), options));
  }

  static BlockDevice createChild(Path image, String parent, String... options) throws IOException {
    return Images.create(image, with(CreateOptions.overlay("vmdk", parent, "vmdk"), options));
  }

  private static CreateOptions with(CreateOptions creation, String... options) {
    CreateOptions all =
        creation.withFormats(VmdkSubject.FORMATS).withReferences(ReferencePolicy.sameDirectory());
    for (String option : options) {
      String[] parts = option.split("=", 2);
      all = all.withOption(parts[0], parts[1]);
    }
    return all;
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
      return findings(device);
    }
  }

  static List<String> findings(BlockDevice device) throws IOException {
    return device.feature(Checking.class).orElseThrow().check((d, t) -> true).findings().stream()
        .map(finding -> finding.severity() + " " + finding.message())
        .toList();
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
          int unit = 65_536;
          int from = offset / unit * unit;
          int to = Math.min(model.length, from + unit);
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
