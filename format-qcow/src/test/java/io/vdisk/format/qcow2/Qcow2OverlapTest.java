package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.DirtyBitmaps;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.feature.Snapshots;
import io.vdisk.feature.UnitWriter;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tables that would make a write hit metadata: it is refused, nothing of the metadata changes, the
 * image is marked corrupt for good, and it is read as before.
 */
class Qcow2OverlapTest {
  private static final int CLUSTER = 4096;
  private static final int L1_TABLE_OFFSET = 40;
  private static final int INCOMPATIBLE = 72;

  /** A cluster of the guest's that had no place before a test gave it one. */
  private static final int VICTIM = 5 * CLUSTER;

  private final MemoryFile file = new MemoryFile("image");

  /** What an entry names. */
  enum Target {
    L1_TABLE,
    L2_TABLE,
    REFCOUNT_TABLE,
    REFCOUNT_BLOCK,
    SNAPSHOT_TABLE,
    SNAPSHOT_L1,
    BITMAP_DIRECTORY
  }

  private void create(String compat) throws IOException {
    CreateOptions options =
        CreateOptions.of("qcow2", 1 << 20)
            .withFormats(Qcow2Subject.FORMATS)
            .withOption("compat", compat)
            .withOption("cluster_size", Integer.toString(CLUSTER));
    try (BlockDevice device = Images.create(file, options)) {
      write(device, 0, 1);
      device.feature(Snapshots.class).orElseThrow().create("s");
      write(device, 0, 2);
      if (!compat.equals("0.10")) {
        DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
        bitmaps.create("b", 65_536);
        bitmaps.setEnabled("b", false);
      }
    }
    try (BlockDevice device = writable()) {
      for (int i = 30; i < 50; i++) {
        write(device, (long) i * CLUSTER, 3); // leaves no holes
      }
    }
  }

  private static void write(BlockDevice device, long offset, int value) throws IOException {
    byte[] cluster = new byte[CLUSTER];
    Arrays.fill(cluster, (byte) value);
    device.write(ByteBuffer.wrap(cluster), offset);
  }

  private static byte read(BlockDevice device, long offset) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    device.read(one, offset);
    return one.get(0);
  }

  private static BlockDevice open(HostFile image, OpenOptions options) throws IOException {
    return Images.open(image, options.withFormats(Qcow2Subject.FORMATS));
  }

  private BlockDevice writable() throws IOException {
    return open(file, OpenOptions.readWrite());
  }

  private long long64(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8);
    file.readFully(bytes, offset);
    return bytes.getLong(0);
  }

  private void put64(long offset, long value) throws IOException {
    file.write(ByteBuffer.allocate(8).putLong(0, value), offset);
  }

  private byte[] content() throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.readFully(all, 0);
    return all.array();
  }

  private long l2Table() throws IOException {
    return long64(long64(L1_TABLE_OFFSET)) & L2Entry.OFFSET;
  }

  private long place(Target target) throws IOException {
    Qcow2Header header = Qcow2Header.read(file, Limits.DEFAULT);
    return switch (target) {
      case L1_TABLE -> header.l1TableOffset;
      case L2_TABLE -> l2Table();
      case REFCOUNT_TABLE -> header.refcountTableOffset;
      case REFCOUNT_BLOCK -> long64(header.refcountTableOffset);
      case SNAPSHOT_TABLE -> header.snapshotsOffset;
      case SNAPSHOT_L1 -> SnapshotTable.read(file, header).entries().get(0).l1Offset();
      case BITMAP_DIRECTORY -> header.bitmaps.orElseThrow().directoryOffset();
    };
  }

  private void nameInEntry(long entry) throws IOException {
    put64(l2Table() + VICTIM / CLUSTER * 8, entry);
  }

  /** What a write that must be refused leaves, and what the image does from then on. */
  private void assertRefusedAndMarked() throws IOException {
    byte[] before = content();
    List<String> order = new ArrayList<>();
    HostFile watched = new Watched(order);
    try (BlockDevice device = open(watched, OpenOptions.readWrite())) {
      CorruptImageException e =
          assertThrows(CorruptImageException.class, () -> write(device, VICTIM, 9));
      assertTrue(e.getMessage().startsWith("image: "), e.getMessage());
      assertEquals(List.of("write " + INCOMPATIBLE, "flush"), order);
      assertThrows(CorruptImageException.class, () -> write(device, 20 * CLUSTER, 9));
      assertThrows(CorruptImageException.class, () -> write(device, 0, 9));
      assertThrows(CorruptImageException.class, () -> device.discard(0, CLUSTER));
      Snapshots snapshots = device.feature(Snapshots.class).orElseThrow();
      assertThrows(CorruptImageException.class, () -> snapshots.create("another"));
      assertEquals(2, read(device, 0));
    }
    byte[] marked = before.clone();
    marked[INCOMPATIBLE + 7] |= 2;
    assertArrayEquals(marked, content());
    assertThrows(UnsupportedImageException.class, this::writable);
    try (BlockDevice device = open(file, OpenOptions.readOnly())) {
      assertEquals(2, read(device, 0));
    }
  }

  private final class Watched extends ForwardingFile {
    private final List<String> order;

    Watched(List<String> order) {
      super(file);
      this.order = order;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      order.add("write " + offset);
      super.write(src, offset);
    }

    @Override
    public void flush() throws IOException {
      order.add("flush");
      super.flush();
    }
  }

  private void assertMends() throws IOException {
    try (BlockDevice device = open(file, OpenOptions.readWrite().forRepair())) {
      device.feature(Repairing.class).orElseThrow().repair(Repairing.Scope.ALL, Progress.NONE);
    }
    assertEquals(0, long64(INCOMPATIBLE));
    byte[] tables = content();
    try (BlockDevice device = writable()) {
      write(device, 20 * CLUSTER, 3);
      write(device, VICTIM, 4);
      assertEquals(2, read(device, 0));
      assertEquals(3, read(device, 20 * CLUSTER));
      assertEquals(4, read(device, VICTIM));
    }
    try (BlockDevice device = writable()) {
      assertEquals(2, read(device, 0));
      assertEquals(4, read(device, VICTIM));
    }
    assertTrue(tables.length <= content().length);
    assertEquals(0, new Qcow2Checker(file, header(), Progress.NONE).check().errors());
  }

  private Qcow2Header header() throws IOException {
    return Qcow2Header.read(file, Limits.DEFAULT);
  }

  @ParameterizedTest
  @EnumSource
  void entryWithCopiedThatNamesMetadataIsNotWritten(Target target) throws IOException {
    create("1.1");
    nameInEntry(place(target) | L2Entry.COPIED);

    assertRefusedAndMarked();

    if (target != Target.L2_TABLE) { // a table that is an entry's cluster is left, with its error
      assertMends();
    }
  }

  /** What it names keeps its count, its bytes and its place. */
  @ParameterizedTest
  @EnumSource
  void entryWithoutCopiedThatNamesMetadataFreesIt(Target target) throws IOException {
    create("1.1");
    long place = place(target);
    nameInEntry(place);
    long block = place(Target.REFCOUNT_BLOCK);
    long counts = long64(block + place / CLUSTER / 4 * 8);
    try (BlockDevice device = writable()) {
      write(device, VICTIM, 9);
      device.flush();
      write(device, 21 * CLUSTER, 9);
      device.flush();
      assertEquals(9, read(device, VICTIM));
    }
    int shift = (int) (48 - place / CLUSTER % 4 * 16);
    assertEquals(
        counts >>> shift & 0xffff, long64(block + place / CLUSTER / 4 * 8) >>> shift & 0xffff);
    assertEquals(0, new Qcow2Checker(file, header(), Progress.NONE).check().errors());
    try (BlockDevice device = writable()) {
      assertEquals(2, read(device, 0));
      Snapshots snapshots = device.feature(Snapshots.class).orElseThrow();
      try (BlockDevice view = snapshots.open(snapshots.list().get(0))) {
        assertEquals(1, read(view, 0));
      }
    }
  }

  /** A compressed cluster may lie anywhere, in the header, too. */
  @Test
  void compressedEntryThatNamesTheHeaderLeavesItAsItIs() throws IOException {
    create("1.1");
    nameInEntry(L2Entry.compressed(0, 2 * CLUSTER - 512, 12).raw());
    byte[] before = content();
    try (BlockDevice device = writable()) {
      write(device, VICTIM, 9);
      device.flush();
      device.flush();
    }
    assertArrayEquals(Arrays.copyOf(before, CLUSTER), Arrays.copyOf(content(), CLUSTER));
    try (BlockDevice device = writable()) {
      assertEquals(9, read(device, VICTIM));
      assertEquals(2, read(device, 0));
    }
  }

  @ParameterizedTest
  @EnumSource
  void spaceOfMetadataThatCountsAsFreeIsNotTaken(Target target) throws IOException {
    create("1.1");
    long place = place(target);
    long word = place(Target.REFCOUNT_BLOCK) + place / CLUSTER / 4 * 8;
    int shift = (int) (48 - place / CLUSTER % 4 * 16);
    put64(word, long64(word) & ~(0xffffL << shift));

    assertRefusedAndMarked();

    assertMends();
  }

  @Test
  void headerThatCountsAsFreeIsNotTaken() throws IOException {
    create("1.1");
    long word = place(Target.REFCOUNT_BLOCK);
    put64(word, long64(word) & ~(0xffffL << 48));
    byte[] before = content();
    try (BlockDevice device = writable()) {
      write(device, VICTIM, 9);
    }
    assertArrayEquals(Arrays.copyOf(before, CLUSTER), Arrays.copyOf(content(), CLUSTER));
  }

  /** Both with COPIED and without: a table that is changed, and one that is given back. */
  @ParameterizedTest
  @EnumSource(names = {"L1_TABLE", "REFCOUNT_TABLE", "REFCOUNT_BLOCK", "SNAPSHOT_TABLE"})
  void tableThatIsOtherMetadataIsNeitherChangedNorMoved(Target target) throws IOException {
    for (long copied : new long[] {L2Entry.COPIED, 0}) {
      file.resize(0);
      create("1.1");
      long l1Entry = place(Target.L1_TABLE);
      long good = long64(l1Entry);
      put64(l1Entry, place(target) | copied);
      byte[] before = content();
      try (BlockDevice device = writable()) {
        assertThrows(CorruptImageException.class, () -> write(device, VICTIM, 9));
        assertThrows(CorruptImageException.class, () -> write(device, VICTIM + CLUSTER, 9));
      }
      before[INCOMPATIBLE + 7] |= 2;
      assertArrayEquals(before, content());
      put64(l1Entry, good);
      assertMends();
    }
  }

  private BitmapEntry bitmap() throws IOException {
    return BitmapDirectory.read(file, header()).entries().get(0);
  }

  private void enableBitmap() throws IOException {
    try (BlockDevice device = writable()) {
      DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
      bitmaps.setEnabled("b", true);
    }
  }

  private static boolean isDirty(BlockDevice device, long offset) throws IOException {
    for (Extent range : device.feature(DirtyBitmaps.class).orElseThrow().dirty("b")) {
      if (range.offset() <= offset && offset < range.offset() + range.length()) {
        return true;
      }
    }
    return false;
  }

  /** A bitmap whose bits lie in metadata gets another place for them. */
  @ParameterizedTest
  @EnumSource
  void bitsThatLieInMetadataAreStoredElsewhere(Target target) throws IOException {
    create("1.1");
    enableBitmap();
    long place = place(target);
    put64(bitmap().tableOffset(), place);
    try (BlockDevice device = writable()) {
      write(device, VICTIM, 9);
    }
    try (BlockDevice device = writable()) {
      assertEquals(2, read(device, 0));
      assertEquals(9, read(device, VICTIM));
      assertTrue(isDirty(device, VICTIM));
    }
    assertEquals(0, new Qcow2Checker(file, header(), Progress.NONE).check().errors());
    put64(bitmap().tableOffset(), place(target));
    try (BlockDevice device = writable()) {
      // What is freed must be what only the bitmap names.
      DirtyBitmaps bitmaps = device.feature(DirtyBitmaps.class).orElseThrow();
      assertThrows(CorruptImageException.class, () -> bitmaps.remove("b"));
    }
    try (BlockDevice device = writable()) {
      assertEquals(2, read(device, 0));
      assertEquals(9, read(device, VICTIM));
    }
  }

  /** A bitmap whose table is metadata is neither changed nor believed. */
  @ParameterizedTest
  @EnumSource
  void bitmapWhoseTableIsMetadataIsNotStored(Target target) throws IOException {
    create("1.1");
    enableBitmap();
    long place = place(target);
    put64(place(Target.BITMAP_DIRECTORY), place);
    byte[] before = content();
    try (BlockDevice device = writable()) {
      assertThrows(CorruptImageException.class, () -> write(device, VICTIM, 9));
      assertThrows(CorruptImageException.class, () -> write(device, 0, 9));
      assertEquals(2, read(device, 0));
    }
    assertArrayEquals(Arrays.copyOfRange(before, 80, before.length), tail());
  }

  private byte[] tail() throws IOException {
    byte[] now = content();
    return Arrays.copyOfRange(now, 80, now.length);
  }

  /** Two L1 entries name one table, which is counted once: neither's data is lost. */
  @Test
  void tableThatIsNamedTwiceStaysWhereItIs() throws IOException {
    create("1.1");
    resize();
    long table = l2Table();
    put64(place(Target.L1_TABLE), table);
    put64(place(Target.L1_TABLE) + 8, table);
    long second = header().l1Coverage();
    try (BlockDevice device = writable()) {
      write(device, 0, 9);
      device.flush();
      write(device, CLUSTER, 9);
      device.flush();
      assertEquals(9, read(device, 0));
      assertEquals(3, read(device, second + 30 * CLUSTER));
    }
    try (BlockDevice device = writable()) {
      assertEquals(9, read(device, 0));
      assertEquals(3, read(device, second + 30 * CLUSTER));
    }
  }

  /** The same with COPIED: a write would show in both places. */
  @Test
  void tableThatIsNamedTwiceIsNotWritten() throws IOException {
    create("1.1");
    resize();
    long l1 = place(Target.L1_TABLE);
    put64(l1 + 8, long64(l1));
    assertRefusedAndMarked();
  }

  private void resize() throws IOException {
    try (BlockDevice device = writable()) {
      device.feature(Resizing.class).orElseThrow().resize(4 << 20);
    }
  }

  /** Version 2 has no bit to say it with: the device alone refuses. */
  @Test
  void version2IsNotMarkedAndNotWrittenEither() throws IOException {
    create("0.10");
    nameInEntry(place(Target.L1_TABLE) | L2Entry.COPIED);
    byte[] before = content();
    try (BlockDevice device = writable()) {
      assertThrows(CorruptImageException.class, () -> write(device, VICTIM, 9));
      assertThrows(CorruptImageException.class, () -> write(device, 20 * CLUSTER, 9));
      assertEquals(2, read(device, 0));
    }
    assertArrayEquals(before, content());
    writable().close();
  }

  @Test
  void imageThatIsOpenForReadingIsNotMarked() throws IOException {
    create("1.1");
    nameInEntry(place(Target.L1_TABLE) | L2Entry.COPIED);
    byte[] before = content();
    try (BlockDevice device = open(file, OpenOptions.readOnly())) {
      read(device, VICTIM);
      assertEquals(2, read(device, 0));
    }
    assertArrayEquals(before, content());
  }

  /** What is appended compressed takes new space, and gives back what the entry named. */
  @Test
  void compressedWriteOverAnEntryThatNamesMetadataFreesIt() throws IOException {
    create("1.1");
    nameInEntry(place(Target.REFCOUNT_BLOCK));
    try (BlockDevice device = writable()) {
      UnitWriter units = device.feature(UnitWriter.class).orElseThrow();
      byte[] plain = new byte[CLUSTER];
      Arrays.fill(plain, (byte) 6);
      ByteBuffer unit = ByteBuffer.wrap(plain);
      units.append(VICTIM, unit, units.encode(unit.duplicate()));
      device.flush();
      device.flush();
      assertEquals(6, read(device, VICTIM));
    }
    assertEquals(0, new Qcow2Checker(file, header(), Progress.NONE).check().errors());
  }
}
