package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.Limits;
import io.vdisk.Progress;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing.Scope;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.format.qcow2.DamagedImage.Kind;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class Qcow2RepairTest {
  private static final int REFCOUNT_TABLE = 48;
  private static final int SNAPSHOTS = 60;
  private static final int INCOMPATIBLE = 72;

  @TempDir Path folder;

  private MemoryFile file = new MemoryFile("image");

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  private void make(Kind kind) throws IOException {
    file = new MemoryFile("image", DamagedImage.make(folder, kind));
  }

  private ByteBuffer read(long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    file.readPadded(bytes, offset);
    return bytes.flip();
  }

  private long long64(long offset) throws IOException {
    return read(offset, Long.BYTES).getLong();
  }

  private void put64(long offset, long value) throws IOException {
    file.write(ByteBuffer.allocate(Long.BYTES).putLong(0, value), offset);
  }

  private byte[] bytes() throws IOException {
    return read(0, (int) file.size()).array();
  }

  private Qcow2Header header() throws IOException {
    return Qcow2Header.read(file, Limits.DEFAULT);
  }

  private CheckReport repair(Scope scope) throws IOException {
    return new Repair(file, header(), scope, Progress.NONE).repair();
  }

  private Path saved() throws IOException {
    return Files.write(folder.resolve("repaired.qcow2"), bytes());
  }

  private byte[] content() throws IOException {
    Path raw = folder.resolve("content");
    Qemu.succeed("qemu-img", "convert", "-f", "qcow2", "-O", "raw", saved(), raw);
    return Files.readAllBytes(raw);
  }

  private void assertClean() throws IOException {
    Qemu.check(saved());
  }

  @ParameterizedTest
  @EnumSource
  void imageWithoutFaultsIsNotWritten(Kind kind) throws IOException {
    make(kind);
    byte[] before = bytes();
    for (Scope scope : Scope.values()) {
      assertTrue(repair(scope).isClean());
      assertArrayEquals(before, bytes());
    }
  }

  @ParameterizedTest
  @EnumSource
  void refcountTableThatIsLostIsMadeAnew(Kind kind) throws IOException {
    make(kind);
    byte[] content = content();
    put64(long64(REFCOUNT_TABLE), 0);

    CheckReport report = repair(Scope.ALL);

    assertTrue(report.errors() > 0);
    assertEquals(report.errors(), report.errorsFixed());
    assertClean();
    assertArrayEquals(content, content());
  }

  /** Reserved bits, an offset that is none, the header's cluster, the table's own. */
  @ParameterizedTest
  @ValueSource(longs = {1, 512, 0, -1, -2, 1L << 40, -1L << 62})
  void blockThatCannotBeIsMadeAnew(long where) throws IOException {
    make(Kind.SNAPSHOTS);
    byte[] content = content();
    long table = long64(REFCOUNT_TABLE);
    long block =
        where == -1 ? table : where == -2 ? long64(40) : where < 513 ? 8192 + where : where;
    put64(table, block);

    CheckReport report = repair(Scope.ALL);

    assertEquals(report.errors(), report.errorsFixed(), report.findings()::toString);
    assertClean();
    assertArrayEquals(content, content());
  }

  @Test
  void marksAreClearedWhenNoErrorIsLeft() throws IOException {
    make(Kind.NARROW);
    put64(INCOMPATIBLE, 3);
    assertTrue(repair(Scope.LEAKS).isClean());
    assertEquals(0, long64(INCOMPATIBLE));
  }

  @Test
  void marksStayWhileAnErrorIsLeft() throws IOException {
    make(Kind.NARROW);
    put64(INCOMPATIBLE, 3);
    long l1 = long64(40);
    put64(l1, long64(l1) | 1L << 57); // a reserved bit
    CheckReport report = repair(Scope.ALL);
    assertEquals(1, report.errors());
    assertEquals(0, report.errorsFixed());
    assertEquals(3, long64(INCOMPATIBLE));
  }

  @Test
  void leaksAreNotGivenBackWhileClustersInUseAreNotCounted() throws IOException {
    make(Kind.NARROW);
    long block = long64(long64(REFCOUNT_TABLE));
    put64(block + 8, 0); // eight clusters
    put64(block + 16, 0x0202_0202_0202_0202L);
    byte[] before = bytes();

    CheckReport report = repair(Scope.LEAKS);

    assertTrue(report.errors() >= 8);
    assertEquals(0, report.errorsFixed());
    assertTrue(report.leaks() > 0);
    assertEquals(0, report.leaksFixed());
    assertEquals(1, report.unchecked());
    assertArrayEquals(before, bytes());
  }

  @Test
  void entryThatReadsAsZeroAndNamesNoPlaceNamesNothing() throws IOException {
    make(Kind.NARROW);
    byte[] content = content();
    long l2 = long64(long64(40)) & L2Entry.OFFSET;
    int zero = 0;
    while (!new L2Entry(long64(l2 + zero * 8L)).isZero()) {
      zero++;
    }
    put64(l2 + zero * 8L, 0x6201 | L2Entry.COPIED);

    CheckReport report = repair(Scope.ALL);

    assertEquals(report.errors(), report.errorsFixed());
    assertEquals(1, long64(l2 + zero * 8L));
    assertClean();
    assertArrayEquals(content, content());
  }

  /** Entries with less extra data than version 3 must have. */
  @ParameterizedTest
  @ValueSource(ints = {0, 8, 15, 1025, 100_000})
  void snapshotTableIsWrittenAgain(int extraBytes) throws IOException {
    make(Kind.SNAPSHOTS);
    byte[] content = content();
    List<SnapshotEntry> entries = SnapshotTable.read(file, header()).entries();
    writeTable(entries, extraBytes);
    byte[] before = bytes();
    CheckReport leaks = repair(Scope.LEAKS);
    assertTrue(leaks.errors() + leaks.unchecked() > 0);
    if (leaks.unchecked() > 0) {
      assertArrayEquals(before, bytes());
    }

    CheckReport report = repair(Scope.ALL);

    assertTrue(report.errors() >= 2);
    assertEquals(report.errors(), report.errorsFixed());
    assertClean();
    assertArrayEquals(content, content());
    List<SnapshotEntry> now = SnapshotTable.read(file, header()).entries();
    assertEquals(entries.get(1).name(), now.get(1).name());
    assertEquals(entries.get(1).virtualSize(), now.get(1).virtualSize());
    assertEquals(Math.max(16, Math.min(1024, extraBytes)), now.get(1).extra().size());
  }

  /** Writes a table behind the end, with so much extra data. */
  private void writeTable(List<SnapshotEntry> entries, int extraBytes) throws IOException {
    long offset = (file.size() + 4095) / 4096 * 4096;
    long at = offset;
    for (SnapshotEntry entry : entries) {
      ByteBuffer one = ByteBuffer.allocate(200_000);
      entry.encode(one);
      int text = entry.id().size() + entry.name().size();
      byte[] names = new byte[text];
      one.get(one.position() - text, names);
      byte[] fixed = new byte[40 + Math.min(16, extraBytes)];
      one.get(0, fixed);
      ByteBuffer changed = ByteBuffer.allocate((40 + extraBytes + text + 7) / 8 * 8);
      changed.put(fixed).putInt(36, extraBytes).position(40 + extraBytes).put(names);
      file.write(changed.rewind(), at);
      at += changed.limit();
    }
    put64(SNAPSHOTS + 4, offset);
    file.resize((at + 4095) / 4096 * 4096);
  }

  /** A file that cannot grow. */
  private static final class FullFile extends ForwardingFile {
    private final long capacity;

    FullFile(MemoryFile file, long capacity) {
      super(file);
      this.capacity = capacity;
    }

    @Override
    public long capacity() {
      return capacity;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      assertTrue(offset + src.remaining() <= capacity, "written past the end");
      super.write(src, offset);
    }
  }

  @Test
  void newRefcountsFindPlaceInAFileThatCannotGrow() throws IOException {
    make(Kind.SNAPSHOTS);
    byte[] content = content();
    file.resize(file.size() / 4096 * 4096 + 40_960); // clusters that nothing refers to
    put64(long64(REFCOUNT_TABLE), 0);
    FullFile full = new FullFile(file, file.size());
    CheckReport report = new Repair(full, header(), Scope.ALL, Progress.NONE).repair();
    assertEquals(report.errors(), report.errorsFixed(), report.findings()::toString);
    assertClean();
    assertArrayEquals(content, content());
  }

  @Test
  void withoutAnyRoomNothingIsWritten() throws IOException {
    make(Kind.NARROW);
    put64(long64(REFCOUNT_TABLE), 0);
    byte[] before = bytes();
    FullFile full = new FullFile(file, 2 * 4096); // the header and the refcount table
    CheckReport report = new Repair(full, header(), Scope.ALL, Progress.NONE).repair();
    assertEquals(0, report.errorsFixed());
    assertEquals(1, report.unchecked());
    assertArrayEquals(before, bytes());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6})
  void countsTakeAnotherWidth(int order) throws IOException {
    make(Kind.SNAPSHOTS);
    byte[] content = content();
    Qcow2Checker checked = new Qcow2Checker(file, header(), Progress.NONE);
    checked.run(false);
    RefcountRebuild rebuild =
        new RefcountRebuild(checked.image, checked.counter, new RefcountWidth(order));
    if (order == 2) {
      byte[] before = read(0, 4096).array();
      assertThrows(UnsupportedImageException.class, rebuild::rebuild);
      assertArrayEquals(before, read(0, 4096).array());
    } else {
      rebuild.rebuild();
      assertEquals(order, header().refcountOrder);
    }
    assertClean();
    assertArrayEquals(content, content());
  }
}
