package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.testkit.Requirements;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bitmaps record what is written while they are enabled, and are never believed wrongly. */
class Qcow2BitmapTest {
  private static final int GRANULE = 4096;
  private static final OpenOptions WRITE =
      OpenOptions.readWrite().withFormats(Qcow2Subject.FORMATS);
  private static final OpenOptions READ = OpenOptions.readOnly().withFormats(Qcow2Subject.FORMATS);

  private final MemoryFile file = new MemoryFile("image");

  private BlockDevice create() throws IOException {
    return Images.create(
        file, CreateOptions.of("qcow2", 4 << 20).withFormats(Qcow2Subject.FORMATS));
  }

  private static DirtyBitmaps bitmaps(BlockDevice device) {
    return device.feature(DirtyBitmaps.class).orElseThrow();
  }

  private static void write(BlockDevice device, long offset, int length) throws IOException {
    device.write(ByteBuffer.allocate(length), offset);
  }

  private static List<String> dirty(BlockDevice device, String name) throws IOException {
    List<String> ranges = new ArrayList<>();
    for (Extent range : bitmaps(device).dirty(name)) {
      ranges.add(range.offset() + "+" + range.length());
    }
    return ranges;
  }

  private static MemoryFile copy(HostFile source) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) source.size());
    source.readFully(all, 0);
    return new MemoryFile("copy", all.array());
  }

  @Test
  void writesZeroesAndDiscardsAreRecordedByWholeGranules() throws IOException {
    try (BlockDevice device = create()) {
      DirtyBitmaps.Bitmap unused = bitmaps(device).create("b", GRANULE);
      write(device, GRANULE - 1, 2);
      device.writeZeroes(5 * GRANULE, 1);
      device.discard(9 * GRANULE, GRANULE);
      assertEquals(List.of("0+8192", "20480+4096", "36864+4096"), dirty(device, "b"));
    }
    try (BlockDevice device = Images.open(file, READ)) {
      assertEquals(List.of("0+8192", "20480+4096", "36864+4096"), dirty(device, "b"));
    }
  }

  @Test
  void disabledOnesRecordNothing() throws IOException {
    try (BlockDevice device = create()) {
      DirtyBitmaps.Bitmap unused = bitmaps(device).create("b", GRANULE);
      bitmaps(device).setEnabled("b", false);
      write(device, 0, 512);
      assertEquals(List.of(), dirty(device, "b"));
      bitmaps(device).setEnabled("b", true);
      write(device, 0, 512);
      assertEquals(List.of("0+4096"), dirty(device, "b"));
    }
  }

  @Test
  void mergedOneHasTheBitsOfBothInItsOwnGranularity() throws IOException {
    try (BlockDevice device = create()) {
      DirtyBitmaps bitmaps = bitmaps(device);
      DirtyBitmaps.Bitmap fine = bitmaps.create("fine", 512);
      write(device, 512, 512);
      DirtyBitmaps.Bitmap coarse = bitmaps.create("coarse", 65_536);
      write(device, 1 << 20, 512);
      bitmaps.merge("coarse", "fine");
      assertEquals(List.of("0+65536", "1048576+65536"), dirty(device, "coarse"));
      bitmaps.merge("fine", "coarse");
      assertEquals(List.of("0+65536", "1048576+65536"), dirty(device, "fine"));
      assertEquals(List.of(fine, coarse), bitmaps.list());
    }
  }

  /** What a power cut would leave. */
  @Test
  void bitmapOfAnImageThatWasNotClosedIsNotBelieved() throws IOException {
    MemoryFile cut;
    try (BlockDevice device = create()) {
      DirtyBitmaps.Bitmap unused = bitmaps(device).create("b", GRANULE);
      write(device, 0, 512);
      device.flush();
      cut = copy(file);
    }
    try (BlockDevice device = Images.open(cut, WRITE)) {
      assertFalse(bitmaps(device).list().get(0).consistent());
      assertThrows(UnsupportedImageException.class, () -> bitmaps(device).dirty("b"));
      assertThrows(UnsupportedImageException.class, () -> bitmaps(device).clear("b"));
      bitmaps(device).remove("b");
      assertEquals(List.of(), bitmaps(device).list());
    }
    try (BlockDevice device = Images.open(file, READ)) {
      assertTrue(bitmaps(device).list().get(0).consistent());
    }
  }

  @Test
  void namesAreUniqueAndMustBeThere() throws IOException {
    try (BlockDevice device = create()) {
      DirtyBitmaps bitmaps = bitmaps(device);
      DirtyBitmaps.Bitmap unused = bitmaps.create("b", GRANULE);
      assertThrows(FileAlreadyExistsException.class, () -> bitmaps.create("b", 512));
      assertThrows(FileNotFoundException.class, () -> bitmaps.remove("c"));
      assertThrows(IllegalArgumentException.class, () -> bitmaps.create("c", 1000));
      assertThrows(IllegalArgumentException.class, () -> bitmaps.create("c", 256));
      assertThrows(IllegalArgumentException.class, () -> bitmaps.create("", GRANULE));
    }
  }

  @Test
  void anotherStateOfTheDiskIsRefusedWhereABitmapWouldBeWrong() throws IOException {
    try (BlockDevice device = create()) {
      Snapshots snapshots = device.feature(Snapshots.class).orElseThrow();
      Snapshots.Snapshot snapshot = snapshots.create("s");
      DirtyBitmaps.Bitmap unused = bitmaps(device).create("b", GRANULE);
      assertThrows(UnsupportedImageException.class, () -> snapshots.apply(snapshot));
    }
  }

  /** Copies of bitmaps that QEMU makes say what it has read of ours. */
  @Test
  void qemuReadsTheSameBits(@TempDir Path folder) throws IOException {
    Requirements.need("qemu-img");
    Path image = folder.resolve("image.qcow2");
    List<String> ours;
    try (BlockDevice device =
        Images.create(
            image, CreateOptions.of("qcow2", 1 << 30).withFormats(Qcow2Subject.FORMATS))) {
      DirtyBitmaps.Bitmap unused = bitmaps(device).create("b", 512);
      for (int i = 0; i < 40; i++) {
        write(device, i * 7_000_000L + i, 512 * i + 1);
      }
      ours = dirty(device, "b");
    }
    Qemu.check(image);
    Path copied = folder.resolve("copy.qcow2");
    Qemu.succeed("qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", "--bitmaps", image, copied);
    try (BlockDevice device = Images.open(copied, READ)) {
      assertEquals(ours, dirty(device, "b"));
    }
    Qemu.succeed("qemu-io", "-c", "write 900M 64k", image);
    try (BlockDevice device = Images.open(image, READ)) {
      List<String> more = new ArrayList<>(ours);
      more.add((900L << 20) + "+65536");
      assertEquals(more, dirty(device, "b"));
    }
    Files.delete(copied);
  }
}
