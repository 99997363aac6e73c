package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** What {@link HugeDiskTest} runs in a JVM with little memory. */
final class HugeDisk {
  private static final long SIZE = 2040L << 30;
  private static final int BLOCK = 2 << 20;
  private static final int STRIDE = BLOCK + 4096;
  private static final int WRITES = 8_000;

  private HugeDisk() {}

  /** Takes the file to make, and whether every block is to have a place. */
  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[0]);
    Images.create(path, CreateOptions.of("vhd", SIZE).withFormats(List.of(new VhdFormat())))
        .close();
    if (arguments[1].equals("full")) {
      fillTable(path);
    }
    long seed = 5;
    try (BlockDevice device = open(path, OpenOptions.readWrite())) {
      Random random = new Random(seed);
      for (int i = 0; i < WRITES; i++) {
        device.write(content(random), offset(random));
        if (i % 1000 == 0) {
          device.flush();
        }
      }
    }
    try (BlockDevice device = open(path, OpenOptions.readOnly())) {
      Random random = new Random(seed);
      ByteBuffer found = ByteBuffer.allocate(4096);
      for (int i = 0; i < WRITES; i++) {
        ByteBuffer expected = content(random);
        device.read(found.clear(), offset(random));
        if (!found.flip().equals(expected)) {
          throw new IllegalStateException("write " + i + " is lost");
        }
      }
      if (!arguments[1].equals("full")) {
        CheckReport report = device.feature(Checking.class).orElseThrow().check(Progress.NONE);
        System.out.println(report.allocatedUnits() + " blocks, " + report.errors() + " errors");
      }
    }
    System.out.println("done");
  }

  private static BlockDevice open(Path path, OpenOptions options) throws IOException {
    return Images.open(path, options.withFormats(List.of(new VhdFormat())));
  }

  private static ByteBuffer content(Random random) {
    byte[] bytes = new byte[4096];
    random.nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  private static long offset(Random random) {
    return random.nextLong(SIZE / 4096) * 4096;
  }

  /** Every block lies behind the one before; their bitmaps are in a hole, and clear. */
  private static void fillTable(Path path) throws IOException {
    try (HostFile file = LocalFile.open(path, true)) {
      int blocks = (int) (SIZE / BLOCK);
      long first = (file.size() + 4096) / 4096 * 4096 + 4096 - 512;
      ByteBuffer table = ByteBuffer.allocate(blocks * Integer.BYTES);
      for (int i = 0; i < blocks; i++) {
        table.putInt((int) ((first + (long) i * STRIDE) / 512));
      }
      ByteBuffer footer = ByteBuffer.allocate(512);
      file.readFully(footer, 0);
      file.write(table.flip(), 1536);
      file.write(footer.flip(), first + (long) blocks * STRIDE);
    }
  }
}
