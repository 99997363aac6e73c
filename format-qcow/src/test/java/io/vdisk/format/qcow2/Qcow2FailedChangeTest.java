package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.CreateSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A change of the image as a whole that fails half-way leaves an image that can be used on. */
class Qcow2FailedChangeTest {
  private static final int CLUSTER = 512;
  private static final int SIZE = 4 << 20;

  /** A file whose n-th write from now on fails. */
  private static final class Failing extends ForwardingFile {
    private int left = Integer.MAX_VALUE;

    Failing(HostFile file) {
      super(file);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (left-- == 0) {
        throw new IOException("planned");
      }
      super.write(src, offset);
    }
  }

  private static ByteBuffer bytes(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return ByteBuffer.wrap(bytes);
  }

  /** Filled until the refcount table is full but for what a snapshot takes. */
  private static MemoryFile filled() throws IOException {
    MemoryFile file = new MemoryFile("image");
    CreateSession.create(
        file,
        CreateOptions.of("qcow2", SIZE)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", "512")
            .withOption("refcount_bits", "64"));
    try (BlockDevice device = open(file)) {
      for (int at = 0; file.size() < (2 << 20) - 2 * CLUSTER; at += CLUSTER) {
        device.write(bytes(CLUSTER, 1), at);
        if (at % (64 * CLUSTER) == 0) {
          device.flush();
        }
      }
    }
    return file;
  }

  private static BlockDevice open(HostFile file) throws IOException {
    return Images.open(file, OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS));
  }

  @Test
  void tableThatWasToMoveIsNotFreedWhereItDidNot() throws IOException {
    MemoryFile image = filled();
    long table = word(image, 48);
    ByteBuffer before = ByteBuffer.allocate((int) image.size());
    image.readFully(before, 0);
    boolean moved = false;
    boolean succeeds = false;
    for (int n = 0; !succeeds; n++) {
      MemoryFile file = new MemoryFile("image", before.array().clone());
      Failing failing = new Failing(file);
      try (BlockDevice device = open(failing)) {
        failing.left = n;
        try {
          Snapshots.Snapshot unused = device.feature(Snapshots.class).orElseThrow().create("s");
          succeeds = true;
          moved = word(file, 48) != table;
        } catch (IOException e) {
          assertEquals("planned", e.getMessage());
        }
        failing.left = Integer.MAX_VALUE;
        useOn(device);
      }
      assertSound(file, n);
    }
    assertTrue(moved, "the history must be one in which the table moves");
  }

  /** So that what is free by mistake is taken. */
  private static void useOn(BlockDevice device) throws IOException {
    device.flush();
    for (int round = 0; round < 3; round++) {
      device.discard(0, 200L * CLUSTER);
      device.flush();
      device.write(bytes(200 * CLUSTER, 2 + round), 0);
      device.flush();
    }
  }

  private static void assertSound(HostFile file, int n) throws IOException {
    try (BlockDevice device = open(file)) {
      ByteBuffer all = ByteBuffer.allocate(200 * CLUSTER);
      device.read(all, 0);
      assertEquals(bytes(200 * CLUSTER, 4), all.flip(), "failure " + n);
      CheckReport report =
          device.feature(Checking.class).orElseThrow().check((done, total) -> true);
      for (CheckReport.Finding finding : report.findings()) {
        boolean isHarmless =
            finding.severity() == CheckReport.Severity.LEAK
                || finding.message().contains(" COPIED, and its cluster at ");
        assertTrue(isHarmless, () -> "failure " + n + ": " + finding);
      }
    }
  }

  private static long word(HostFile file, long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }
}
