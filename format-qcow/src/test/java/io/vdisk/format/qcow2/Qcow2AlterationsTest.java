package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.Snapshots;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Snapshots, sizes, amended options and emptying: qemu-img finds each result clean and reads what
 * it should, and what is refused leaves the image as it was.
 */
class Qcow2AlterationsTest {
  private static final int SIZE = 512 << 10;
  private static final int CLUSTER = 4096;

  @TempDir Path folder;

  private Path image = Path.of("image");

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
    Requirements.need("qemu-io");
  }

  /** An image of QEMU's with data, zero clusters and compressed clusters. */
  private void make(String options) throws IOException {
    image = folder.resolve("image.qcow2");
    Files.deleteIfExists(image);
    Qemu.succeed(
        "qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4k," + options, image, SIZE);
    change("write -P 3 10k 50k", "write -P 4 200k 30k");
  }

  /** The same over a backing file that is not zero anywhere. */
  private void makeBacked(String options) throws IOException {
    byte[] below = new byte[SIZE];
    new Random(1).nextBytes(below);
    Files.write(folder.resolve("below.raw"), below);
    make(options + ",backing_file=below.raw,backing_fmt=raw");
  }

  private void change(String... commands) throws IOException {
    for (String command : commands) {
      Qemu.succeed("qemu-io", "-f", "qcow2", "-c", command, image);
    }
  }

  private interface Use {
    void of(BlockDevice device) throws IOException;
  }

  private void using(Use use) throws IOException {
    OpenOptions options =
        OpenOptions.readWrite()
            .withFormats(Qcow2Subject.FORMATS)
            .withReferences(ReferencePolicy.sameDirectory())
            .withoutBacking();
    try (BlockDevice device = Images.open(image, options)) {
      use.of(device);
    }
  }

  private static Snapshots snapshots(BlockDevice device) {
    return device.feature(Snapshots.class).orElseThrow();
  }

  private void amend(String option, String value) throws IOException {
    using(
        device ->
            device
                .feature(Amending.class)
                .orElseThrow()
                .amend(Map.of(option, value), Progress.NONE));
  }

  private byte[] content(Object... which) throws IOException {
    Path raw = folder.resolve("content");
    Object[] command = {"qemu-img", "convert", "-f", "qcow2", "-O", "raw"};
    Object[] all = Arrays.copyOf(command, command.length + which.length + 2);
    System.arraycopy(which, 0, all, command.length, which.length);
    all[all.length - 2] = image;
    all[all.length - 1] = raw;
    Qemu.succeed(all);
    return Files.readAllBytes(raw);
  }

  private byte[] snapshot(String name) throws IOException {
    return content("-l", "snapshot.name=" + name);
  }

  /** It is refused, and the image has the bytes that it had. */
  private <T extends Exception> void assertRefused(Class<T> type, Use use) throws IOException {
    byte[] before = Files.readAllBytes(image);
    assertThrows(type, () -> using(use));
    assertArrayEquals(before, Files.readAllBytes(image));
  }

  @ParameterizedTest
  @ValueSource(strings = {"refcount_bits=1", "refcount_bits=1,extended_l2=on,cluster_size=16k"})
  void snapshotThatTheCountsCannotSayIsRefusedAndUndone(String options) throws IOException {
    make(options);
    byte[] before = content();
    using(
        device -> {
          assertThrows(UnsupportedImageException.class, () -> snapshots(device).create("s"));
          assertEquals(List.of(), snapshots(device).list());
          device.write(ByteBuffer.wrap(Arrays.copyOf(before, 512)), 0);
        });
    Qemu.check(image);
    assertArrayEquals(before, content());
  }

  /** Counts of two bits say three: two snapshots beside the disk. */
  @Test
  void snapshotBeyondTheLastThatTheCountsCanSayIsRefusedAndUndone() throws IOException {
    make("refcount_bits=2");
    byte[] before = content();
    using(
        device -> {
          snapshots(device).create("one");
          snapshots(device).create("two");
        });
    using(
        device ->
            assertThrows(UnsupportedImageException.class, () -> snapshots(device).create("three")));
    Qemu.check(image);
    assertArrayEquals(before, content());
    assertArrayEquals(before, snapshot("two"));
  }

  @Test
  void snapshotOfAnImageWithADataFileIsRefused() throws IOException {
    make("data_file=" + folder.resolve("data"));
    assertRefused(UnsupportedImageException.class, device -> snapshots(device).create("s"));
    Qemu.check(image);
  }

  @Test
  void nameIsAsLongAsItsFieldHoldsAndNoLonger() throws IOException {
    make("compat=1.1");
    String longest = "\u00e4".repeat(32_767) + "x";
    assertEquals(65_535, longest.getBytes(StandardCharsets.UTF_8).length);
    assertRefused(
        IllegalArgumentException.class, device -> snapshots(device).create(longest + "y"));
    using(device -> snapshots(device).create(longest));
    Qemu.check(image);
    assertTrue(Qemu.succeed("qemu-img", "snapshot", "-l", image).contains("\u00e4\u00e4"));
    using(
        device -> {
          Snapshots.Snapshot made = snapshots(device).list().get(0);
          assertEquals(longest, made.name());
          snapshots(device).delete(made);
        });
    Qemu.check(image);
  }

  @Test
  void idsAreTheOnesThatQemuChooses() throws IOException {
    make("compat=1.1");
    for (String name : new String[] {"a", "b", "c"}) {
      Qemu.succeed("qemu-img", "snapshot", "-c", name, image);
    }
    Qemu.succeed("qemu-img", "snapshot", "-d", "b", image);
    assertNextIdIsQemus();
    Qemu.succeed("qemu-img", "snapshot", "-d", "c", image);
    assertNextIdIsQemus();
    for (String id : new String[] {"7", "x", "9x", "09", " 4", ""}) {
      setFirstId(id);
      assertNextIdIsQemus();
    }
  }

  private void assertNextIdIsQemus() throws IOException {
    byte[] before = Files.readAllBytes(image);
    Qemu.succeed("qemu-img", "snapshot", "-c", "next", image);
    String[] theirs = new String[1];
    using(device -> theirs[0] = newest(snapshots(device).list()).id());
    Files.write(image, before);
    using(device -> assertEquals(theirs[0], snapshots(device).create("next").id()));
    Qemu.check(image);
    Files.write(image, before);
  }

  private static Snapshots.Snapshot newest(List<Snapshots.Snapshot> list) {
    return list.get(list.size() - 1);
  }

  /** Puts another id into the first entry, whose length stays within its padding. */
  private void setFirstId(String id) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image));
    int at = (int) bytes.getLong(64);
    int oldBytes = bytes.getShort(at + 12);
    int nameBytes = bytes.getShort(at + 14);
    int idAt = at + 40 + bytes.getInt(at + 36);
    byte[] name = Arrays.copyOfRange(bytes.array(), idAt + oldBytes, idAt + oldBytes + nameBytes);
    byte[] now = id.getBytes(StandardCharsets.US_ASCII);
    bytes.putShort(at + 12, (short) now.length);
    bytes.position(idAt).put(now).put(name);
    Files.write(image, bytes.array());
  }

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void versionGoesDownAndUpAgainWithZeroClusters(boolean backed, boolean hasSnapshot)
      throws IOException {
    if (backed) {
      makeBacked("compat=1.1");
    } else {
      make("compat=1.1");
    }
    change("write -z 20k 16k", "write -z -u 100k 40k", "write -c -P 8 300k 8k", "discard 220k 8k");
    if (hasSnapshot) {
      Qemu.succeed("qemu-img", "snapshot", "-c", "s", image);
      change("write -P 9 24k 4k", "write -z 204k 8k");
    }
    byte[] before = content();
    byte[] kept = hasSnapshot ? snapshot("s") : before;

    amend("compat", "0.10");
    Qemu.check(image);
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("compat: 0.10"));
    assertArrayEquals(before, content());
    amend("compat", "1.1");

    Qemu.check(image);
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("compat: 1.1"));
    assertArrayEquals(before, content());
    assertArrayEquals(kept, hasSnapshot ? snapshot("s") : before);
    change("write -P 1 0 100k");
    Qemu.check(image);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "4", "8", "32", "64"})
  void countsTakeAnotherWidth(String bits) throws IOException {
    make("compat=1.1");
    boolean hasSnapshot = Integer.parseInt(bits) > 1;
    if (hasSnapshot) {
      Qemu.succeed("qemu-img", "snapshot", "-c", "s", image);
      change("write -P 9 24k 4k");
    }
    byte[] before = content();
    amend("refcount_bits", bits);
    Qemu.check(image);
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("refcount bits: " + bits + "\n"));
    assertArrayEquals(before, content());
    amend("refcount_bits", "16");
    Qemu.check(image);
    assertArrayEquals(before, content());
    if (hasSnapshot) {
      Qemu.succeed("qemu-img", "snapshot", "-a", "s", image);
      Qemu.check(image);
    }
  }

  @Test
  void widthThatTheCountsDoNotFitIsRefused() throws IOException {
    make("compat=1.1");
    Qemu.succeed("qemu-img", "snapshot", "-c", "s", image);
    byte[] before = content();
    assertThrows(UnsupportedImageException.class, () -> amend("refcount_bits", "1"));
    Qemu.check(image);
    assertArrayEquals(before, content());
    for (String wrong : new String[] {"0", "3", "128", "-1", "x"}) {
      assertRefused(
          IllegalArgumentException.class,
          device ->
              device
                  .feature(Amending.class)
                  .orElseThrow()
                  .amend(Map.of("refcount_bits", wrong), Progress.NONE));
    }
  }

  @Test
  void lazyRefcountsAreSwitchedOnAndOff() throws IOException {
    make("compat=1.1");
    byte[] before = content();
    amend("lazy_refcounts", "on");
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("lazy refcounts: true"));
    amend("lazy_refcounts", "off");
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("lazy refcounts: false"));
    Qemu.check(image);
    assertArrayEquals(before, content());
  }

  /** Option and value that are refused, and the options of the image. */
  @ParameterizedTest
  @CsvSource({
    "lazy_refcounts, on, compat=0.10",
    "refcount_bits, 8, compat=0.10",
    "compat, 0.10, refcount_bits=8",
    "compat, 0.10, 'extended_l2=on,cluster_size=16k'",
    "compat, 0.10, compression_type=zstd",
    "compat, 1.0, compat=1.1",
    "data_file, elsewhere, compat=1.1",
    "data_file_raw, on, compat=1.1",
    "cluster_size, 64k, compat=1.1",
    "nonsense, on, compat=1.1"
  })
  void whatCannotBeChangedIsRefusedAndNothingIsWritten(String option, String value, String options)
      throws IOException {
    make(options);
    assertRefused(
        Exception.class,
        device ->
            device
                .feature(Amending.class)
                .orElseThrow()
                .amend(Map.of(option, value), Progress.NONE));
    Qemu.check(image);
  }

  @Test
  void versionTwoHasNoBitmaps() throws IOException {
    make("compat=1.1");
    using(device -> device.feature(DirtyBitmaps.class).orElseThrow().create("b", 65_536));
    byte[] before = content();
    assertThrows(UnsupportedImageException.class, () -> amend("compat", "0.10"));
    Qemu.check(image);
    assertArrayEquals(before, content());
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("bitmaps:"));
  }

  @Test
  void dataFileIsFoundUnderItsNewNameAndIsNoRawDiskAnyLonger() throws IOException {
    make("data_file=" + folder.resolve("data") + ",data_file_raw=on");
    byte[] before = content();
    amend("data_file_raw", "off");
    assertTrue(Qemu.succeed("qemu-img", "info", image).contains("data file raw: false"));
    assertThrows(UnsupportedImageException.class, () -> amend("data_file_raw", "on"));
    Path other = folder.resolve("other");
    Files.copy(folder.resolve("data"), other);
    amend("data_file", other.toString());
    Files.delete(folder.resolve("data"));
    Qemu.check(image);
    assertArrayEquals(before, content());
    assertRefused(
        UnsupportedImageException.class,
        device ->
            device
                .feature(Amending.class)
                .orElseThrow()
                .amend(Map.of("compat", "0.10"), Progress.NONE));
  }

  @Test
  void sizesThatCannotBeAreRefused() throws IOException {
    make("compat=1.1");
    for (long size : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertRefused(
          IllegalArgumentException.class,
          device -> device.feature(Resizing.class).orElseThrow().resize(size));
    }
    assertRefused(
        UnsupportedImageException.class,
        device -> device.feature(Resizing.class).orElseThrow().resize(1L << 60));
    make("compat=0.10");
    Qemu.succeed("qemu-img", "snapshot", "-c", "s", image);
    assertRefused(
        UnsupportedImageException.class,
        device -> device.feature(Resizing.class).orElseThrow().resize(2 * SIZE));
  }

  @ParameterizedTest
  @ValueSource(longs = {1000, 40_000, SIZE - 512, SIZE + 3, 40L << 20, 3L << 30})
  void diskTakesAnotherSizeWithADataFileToo(long size) throws IOException {
    long whole = (size + 511) & -512;
    for (String options : new String[] {"compat=1.1", "data_file=" + folder.resolve("data")}) {
      make(options);
      byte[] before = content();
      using(device -> device.feature(Resizing.class).orElseThrow().resize(size));
      Qemu.check(image);
      using(device -> assertEquals(whole, device.size()));
      int kept = (int) Math.min(whole, SIZE);
      if (whole < 1 << 30) {
        byte[] now = content();
        assertEquals(whole, now.length);
        assertArrayEquals(Arrays.copyOf(before, kept), Arrays.copyOf(now, kept));
        assertArrayEquals(new byte[(int) whole - kept], Arrays.copyOfRange(now, kept, (int) whole));
      }
    }
  }

  @Test
  void emptiedImageShowsItsBackingFileAndKeepsItsSnapshots() throws IOException {
    makeBacked("compat=1.1");
    change("write -z 20k 16k", "write -c -P 8 300k 8k");
    Qemu.succeed("qemu-img", "snapshot", "-c", "s", image);
    change("write -P 9 24k 4k");
    byte[] kept = snapshot("s");
    using(device -> device.feature(Emptying.class).orElseThrow().empty());
    Qemu.check(image);
    assertArrayEquals(Files.readAllBytes(folder.resolve("below.raw")), content());
    assertArrayEquals(kept, snapshot("s"));
  }

  @Test
  void emptiedImageWithADataFileReadsAsZero() throws IOException {
    make("data_file=" + folder.resolve("data") + ",data_file_raw=on");
    using(device -> device.feature(Emptying.class).orElseThrow().empty());
    Qemu.check(image);
    assertArrayEquals(new byte[SIZE], content());
    byte[] data = Files.readAllBytes(folder.resolve("data"));
    assertArrayEquals(new byte[SIZE], Arrays.copyOf(data, SIZE));
  }

  /** Every table is believed: one with errors is neither forgotten nor shared. */
  @Test
  void imageWithErrorsIsNotAltered() throws IOException {
    make("compat=1.1");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image));
    int l2 = (int) (bytes.getLong((int) bytes.getLong(40)) & L2Entry.OFFSET);
    bytes.putLong(l2 + 60 * 8, bytes.getLong(l2 + 50 * 8)); // two entries name one cluster
    bytes.putLong(l2 + 61 * 8, bytes.getLong(l2 + 51 * 8) + 100 * CLUSTER);
    Files.write(image, bytes.array());
    assertRefused(IOException.class, device -> snapshots(device).create("s"));
    assertRefused(
        IOException.class, device -> device.feature(Emptying.class).orElseThrow().empty());
    assertRefused(
        IOException.class, device -> device.feature(Resizing.class).orElseThrow().resize(SIZE / 2));
    assertRefused(
        IOException.class,
        device ->
            device
                .feature(Amending.class)
                .orElseThrow()
                .amend(Map.of("refcount_bits", "64"), Progress.NONE));
  }
}
