package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Reserving;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Space that is set aside in every format, on a host that can. */
class ReservingTest {
  private static final int SIZE = 4 << 20;

  /** A host that allocates, and makes ranges zero, without being written to. */
  private static final class Host extends ForwardingFile {
    long reserved;

    Host() {
      super(new MemoryFile("image"));
    }

    @Override
    public boolean allocate(long offset, long length) throws IOException {
      reserved += length;
      file().resize(Math.max(file().size(), offset + length));
      return true;
    }
  }

  private static CreateOptions creation(String words) {
    String[] parts = words.split(" ");
    CreateOptions options = CreateOptions.of(parts[0], SIZE);
    for (String option : Arrays.asList(parts).subList(1, parts.length)) {
      String[] pair = option.split("=");
      options = options.withOption(pair[0], pair[1]);
    }
    return options;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "raw",
        "qcow",
        "qcow xen=on",
        "qcow2",
        "qcow2 compat=0.10",
        "qcow2 cluster_size=16384 extended_l2=on",
        "vhd",
        "vhd block_size=65536",
        "vhd subformat=fixed",
        "vhd xen=on",
        "vhdx block_size=1048576",
        "vhdx subformat=fixed",
        "vmdk",
        "vmdk zeroed_grain=on",
        "vmdk grain_size=4096"
      })
  void diskReadsAsBeforeWhateverIsReserved(String format) throws IOException {
    long seed = Long.getLong("vdisk.seed", 1);
    Random random = new Random(seed);
    Host host = new Host();
    byte[] content = new byte[SIZE];
    try (BlockDevice device = Images.create(host, creation(format))) {
      Reserving reserving = device.feature(Reserving.class).orElseThrow();
      for (int i = 0; i < 200; i++) {
        int length = 1 + random.nextInt(i % 7 == 0 ? 1 << 20 : 9000);
        int offset = random.nextInt(SIZE - length);
        change(device, reserving, content, random, offset, length);
      }
      assertArrayEquals(content, content(device), format + ", seed " + seed);
    }
    assertTrue(host.reserved > 0);
    OpenOptions options = OpenOptions.readOnly().withFormat(format.split(" ")[0]);
    try (BlockDevice device = Images.open((HostFile) host, options)) {
      assertArrayEquals(content, content(device), format + ", seed " + seed);
      Optional<Checking> checking = device.feature(Checking.class);
      if (checking.isPresent()) { // freed grains of a vmdk stay lost
        List<CheckReport.Finding> findings = checking.get().check(Progress.NONE).findings();
        assertTrue(
            findings.stream().allMatch(finding -> finding.severity() == CheckReport.Severity.LEAK),
            findings.toString());
      }
    }
  }

  private static void change(
      BlockDevice device,
      Reserving reserving,
      byte[] content,
      Random random,
      int offset,
      int length)
      throws IOException {
    switch (random.nextInt(6)) {
      case 0 -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        System.arraycopy(bytes, 0, content, offset, length);
        device.write(ByteBuffer.wrap(bytes), offset);
      }
      case 1 -> {
        Arrays.fill(content, offset, offset + length, (byte) 0);
        device.writeZeroes(offset, length);
      }
      case 2 -> device.flush();
      default -> {
        long reserved = reserving.reserve(offset, length);
        assertTrue(reserved >= 0 && reserved <= length, reserved + " of " + length);
      }
    }
  }

  private static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) device.size());
    device.read(all, 0);
    return Arrays.copyOf(all.array(), SIZE);
  }

  /** What an image grows by is set aside to the last byte, and hardly anything written. */
  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2", "qcow2 cluster_size=16384 extended_l2=on", "vhdx"})
  void wholeDiskCanBeReserved(String format) throws IOException {
    Host host = new Host();
    try (BlockDevice device = Images.create(host, creation(format))) {
      Reserving reserving = device.feature(Reserving.class).orElseThrow();
      for (long at = 0; at < SIZE; ) {
        long reserved = reserving.reserve(at, SIZE - at);
        assertTrue(reserved > 0, format + " at " + at);
        at += reserved;
      }
      assertArrayEquals(new byte[SIZE], content(device));
    }
    assertTrue(host.reserved >= SIZE);
  }
}
