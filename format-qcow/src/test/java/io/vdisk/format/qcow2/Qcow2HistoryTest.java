package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.Snapshots;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.spi.CreateSession;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random histories of writes, snapshots, bitmaps and sizes, beside arrays of bytes: the disk and
 * each snapshot hold what they should after every step, our check finds nothing, and at the end
 * qemu-img finds nothing and reads the same.
 */
class Qcow2HistoryTest {
  private static final int STEPS = 60;

  @TempDir Path folder;

  private Path image = Path.of("image");
  private BlockDevice device = null;
  private Optional<BlockDevice> backing = Optional.empty();
  private byte[] disk = new byte[0];
  private final Map<String, byte[]> kept = new HashMap<>();
  private final Map<String, boolean[]> dirty = new HashMap<>();
  private Random random = new Random(0);

  @ParameterizedTest
  @CsvSource({
    "512,16,false,false",
    "512,64,false,true",
    "4096,8,false,false",
    "65536,16,false,true",
    "16384,16,true,false",
    "16384,32,true,true"
  })
  void everyStepLeavesASoundImage(int cluster, int bits, boolean extended, boolean isBacked)
      throws IOException {
    Requirements.need("qemu-img");
    long seed = Long.getLong("vdisk.seed", 1) + cluster + bits;
    random = new Random(seed);
    image = folder.resolve("image.qcow2");
    int size = 40 * Math.max(cluster, 4096) + 1536;
    create(size, cluster, bits, extended, isBacked);
    try {
      for (int step = 0; step < STEPS; step++) {
        String what = step(cluster);
        verify("seed " + seed + ", step " + step + ", " + what);
      }
    } finally {
      device.close();
    }
    Qemu.check(image);
    assertContentsAsQemuReadsThem();
  }

  private void create(int size, int cluster, int bits, boolean extended, boolean isBacked)
      throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", size)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("cluster_size", Integer.toString(cluster))
            .withOption("refcount_bits", Integer.toString(bits))
            .withOption("extended_l2", extended ? "on" : "off");
    disk = new byte[size];
    if (isBacked) {
      byte[] below = new byte[size / 2 + 700];
      random.nextBytes(below);
      Files.write(folder.resolve("below.raw"), Arrays.copyOf(below, below.length));
      System.arraycopy(below, 0, disk, 0, below.length);
      options = options.withBacking("below.raw", "raw");
      backing = Optional.of(Images.ram(below.length));
      backing.get().write(ByteBuffer.wrap(below), 0);
    }
    try (HostFile file = LocalFile.create(image)) {
      CreateSession.create(file, options);
    }
    device = open();
  }

  private BlockDevice open() throws IOException {
    OpenOptions options = OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS);
    return Images.open(image, backing.isPresent() ? options.withBacking(backing.get()) : options);
  }

  private String step(int cluster) throws IOException {
    switch (random.nextInt(16)) {
      case 0, 1 -> {
        return snapshot();
      }
      case 2 -> {
        return apply();
      }
      case 3 -> {
        return delete();
      }
      case 4 -> {
        return bitmap();
      }
      case 5 -> {
        return resize(cluster);
      }
      case 6 -> {
        device.close();
        device = open();
        return "reopen";
      }
      case 7 -> {
        return compress(cluster);
      }
      case 8, 9 -> {
        return zero(cluster);
      }
      default -> {
        return write(cluster);
      }
    }
  }

  private int offset() {
    return random.nextInt(disk.length - 1);
  }

  private String write(int cluster) throws IOException {
    int offset = offset();
    int length = 1 + random.nextInt(Math.min(disk.length - offset, 3 * cluster));
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    device.write(ByteBuffer.wrap(bytes), offset);
    System.arraycopy(bytes, 0, disk, offset, length);
    mark(offset, length);
    return "write " + offset + "+" + length;
  }

  private String zero(int cluster) throws IOException {
    int offset = offset();
    int length = 1 + random.nextInt(Math.min(disk.length - offset, 4 * cluster));
    device.writeZeroes(offset, length);
    Arrays.fill(disk, offset, offset + length, (byte) 0);
    mark(offset, length);
    return "zero " + offset + "+" + length;
  }

  private String compress(int cluster) throws IOException {
    int offset = offset() / cluster * cluster;
    byte[] unit = new byte[cluster];
    Arrays.fill(unit, (byte) (1 + random.nextInt(100)));
    int inside = Math.min(cluster, disk.length - offset);
    Arrays.fill(unit, inside, cluster, (byte) 0);
    UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
    units.append(offset, ByteBuffer.wrap(unit), units.encode(ByteBuffer.wrap(unit)));
    System.arraycopy(unit, 0, disk, offset, inside);
    mark(offset, inside);
    return "compress " + offset;
  }

  private void mark(int offset, int length) {
    for (boolean[] bits : dirty.values()) {
      for (int i = offset / 512; i <= (offset + length - 1) / 512; i++) {
        bits[i] = true;
      }
    }
  }

  private Snapshots snapshots() {
    return device.feature(Snapshots.class).orElseThrow();
  }

  private String snapshot() throws IOException {
    if (kept.size() > 4) {
      return delete();
    }
    Snapshots.Snapshot made = snapshots().create("s" + random.nextInt(1000));
    kept.put(made.id(), disk.clone());
    return "snapshot " + made.id();
  }

  private String apply() throws IOException {
    List<Snapshots.Snapshot> list = snapshots().list();
    if (list.isEmpty() || !dirty.isEmpty()) {
      return "nothing";
    }
    Snapshots.Snapshot chosen = list.get(random.nextInt(list.size()));
    snapshots().apply(chosen);
    disk = kept.get(chosen.id()).clone();
    return "apply " + chosen.id();
  }

  private String delete() throws IOException {
    List<Snapshots.Snapshot> list = snapshots().list();
    if (list.isEmpty()) {
      return "nothing";
    }
    Snapshots.Snapshot chosen = list.get(random.nextInt(list.size()));
    snapshots().delete(chosen);
    kept.remove(chosen.id());
    return "delete " + chosen.id();
  }

  private String bitmap() throws IOException {
    DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
    String name = "b" + random.nextInt(2);
    if (!dirty.containsKey(name)) {
      bitmaps.create(name, 512);
      dirty.put(name, new boolean[(disk.length + 511) / 512]);
      return "create bitmap " + name;
    }
    if (random.nextBoolean()) {
      bitmaps.remove(name);
      dirty.remove(name);
      return "remove bitmap " + name;
    }
    bitmaps.clear(name);
    dirty.put(name, new boolean[(disk.length + 511) / 512]);
    return "clear bitmap " + name;
  }

  private String resize(int cluster) throws IOException {
    int change = (random.nextInt(4 * cluster) - 2 * cluster) / 512 * 512;
    int size = Math.max(4 * cluster, disk.length + change);
    int old = disk.length;
    device.feature(Resizing.class).orElseThrow().resize(size);
    disk = Arrays.copyOf(disk, size);
    dirty.replaceAll((name, bits) -> Arrays.copyOf(bits, (size + 511) / 512));
    if (size > old) {
      mark(old, size - old);
    }
    return "resize to " + size;
  }

  private void verify(String where) throws IOException {
    assertEquals(disk.length, device.size(), where);
    assertArrayEquals(disk, content(device), where);
    CheckReport report = device.feature(Checking.class).orElseThrow().check((done, total) -> true);
    assertTrue(report.isClean(), () -> where + ": " + report.findings());
    List<Snapshots.Snapshot> list = snapshots().list();
    assertEquals(kept.size(), list.size(), where);
    for (Snapshots.Snapshot snapshot : list) {
      try (BlockDevice view = snapshots().open(snapshot)) {
        assertArrayEquals(kept.get(snapshot.id()), content(view), where + ", in " + snapshot);
      }
    }
    DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
    for (Map.Entry<String, boolean[]> bitmap : dirty.entrySet()) {
      boolean[] found = new boolean[bitmap.getValue().length];
      for (Extent range : bitmaps.dirty(bitmap.getKey())) {
        for (long i = range.offset() / 512; i * 512 < range.offset() + range.length(); i++) {
          found[(int) i] = true;
        }
      }
      assertArrayEquals(bitmap.getValue(), found, where + ", bitmap " + bitmap.getKey());
    }
  }

  private static byte[] content(BlockDevice device) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) device.size());
    device.read(all, 0);
    return all.array();
  }

  private void assertContentsAsQemuReadsThem() throws IOException {
    Path raw = folder.resolve("content.raw");
    Files.write(raw, disk);
    Qemu.succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, image);
    List<String> ids = new ArrayList<>(kept.keySet());
    for (String id : ids) {
      Path out = folder.resolve("snapshot.raw");
      Qemu.succeed(
          "qemu-img", "convert", "-f", "qcow2", "-O", "raw", "-l", "snapshot.id=" + id, image, out);
      byte[] read = Files.readAllBytes(out);
      // QEMU reads as much of a snapshot as the disk has now.
      byte[] expected = kept.get(id);
      int length = Math.min(expected.length, read.length);
      assertArrayEquals(Arrays.copyOf(expected, length), Arrays.copyOf(read, length), id);
    }
  }
}
