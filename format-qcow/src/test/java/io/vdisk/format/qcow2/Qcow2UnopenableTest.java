package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Progress;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Snapshots;
import io.vdisk.format.qcow2.DamagedImage.Kind;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that cannot be opened for their data are checked all the same, and mended. */
@Timeout(60)
class Qcow2UnopenableTest {
  private static final int REFCOUNT_TABLE = 48;
  private static final int SNAPSHOTS = 60;

  @TempDir Path folder;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
  }

  private static OpenOptions formats(OpenOptions options) {
    return options.withFormats(Qcow2Subject.FORMATS);
  }

  private byte[] content(Path image) throws IOException {
    Path raw = folder.resolve("content");
    Qemu.succeed("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw);
    return Files.readAllBytes(raw);
  }

  private static CheckReport repair(Path image, Repairing.Scope scope) throws IOException {
    try (BlockDevice device = Images.open(image, formats(OpenOptions.readWrite().forRepair()))) {
      return device.feature(Repairing.class).orElseThrow().repair(scope, Progress.NONE);
    }
  }

  private static void assertRefused(Path image, String said) {
    for (OpenOptions how :
        new OpenOptions[] {
          OpenOptions.readOnly(), OpenOptions.readWrite(), OpenOptions.readWrite().withoutBacking()
        }) {
      CorruptImageException e =
          assertThrows(CorruptImageException.class, () -> Images.open(image, formats(how)));
      assertTrue(e.getMessage().contains(said), e.getMessage());
    }
  }

  private static CheckReport check(Path image) throws IOException {
    OpenOptions tables = formats(OpenOptions.readOnly().withoutBacking());
    try (BlockDevice device = Images.open(image, tables)) {
      return device.feature(Checking.class).orElseThrow().check(Progress.NONE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "USUAL,0x8000000",
    "SMALL,0x4000000000000000",
    "NARROW,0x100000000000",
    "SNAPSHOTS,0x7fffffffffff0000",
    "SNAPSHOTS_OF_OLD,0x8000000",
    "BITMAPS,0x7f000000000000",
    "EXTENDED_WITH_ALL,0x4000000000000"
  })
  void refcountTablePastTheEndIsReportedAndMended(Kind kind, String place) throws IOException {
    byte[] sound = DamagedImage.make(folder, kind);
    Path image = Files.write(folder.resolve("image.qcow2"), sound);
    byte[] before = content(image);
    ByteBuffer.wrap(sound).putLong(REFCOUNT_TABLE, Long.decode(place));
    Files.write(image, sound);
    CheckCounts theirs = CheckCounts.ofQemu(image);

    assertRefused(image, "refcount_table_offset");
    assertTrue(check(image).errors() > 0);
    if (theirs.endOffset() != 0) { // else QEMU cannot tell either
      assertEquals(theirs, CheckCounts.ofOurs(image));
    }
    repair(image, Repairing.Scope.ALL);

    assertTrue(check(image).isClean());
    Qemu.check(image);
    assertArrayEquals(before, content(image));
    Images.open(image, formats(OpenOptions.readWrite())).close();
  }

  @ParameterizedTest
  @CsvSource({"SNAPSHOTS,70000", "SNAPSHOTS_OF_OLD,65537", "SNAPSHOTS_OF_SMALL,4294967295"})
  void snapshotsBeyondTheLimitAreReportedAndMended(Kind kind, long count) throws IOException {
    byte[] sound = DamagedImage.make(folder, kind);
    Path image = Files.write(folder.resolve("image.qcow2"), sound);
    byte[] before = content(image);
    ByteBuffer.wrap(sound).putInt(SNAPSHOTS, (int) count);
    Files.write(image, sound);
    Path theirs = Files.write(folder.resolve("theirs.qcow2"), sound);

    assertRefused(image, "nb_snapshots");
    assertEquals(CheckCounts.ofQemu(image), CheckCounts.ofOurs(image));
    repair(image, Repairing.Scope.ALL);
    Qemu.Result unused = Qemu.run("qemu-img", "check", "-r", "all", theirs);

    Qemu.check(theirs);
    Qemu.check(image);
    assertArrayEquals(before, content(image));
    assertEquals(snapshots(theirs), snapshots(image));
  }

  private static int snapshots(Path image) throws IOException {
    try (BlockDevice device = Images.open(image, formats(OpenOptions.readWrite()))) {
      return device.feature(Snapshots.class).orElseThrow().list().size();
    }
  }

  /** A repair of leaks alone mends no such thing, and the image stays what it was. */
  @Test
  void repairOfLeaksLeavesThemAsTheyAre() throws IOException {
    for (int field : new int[] {REFCOUNT_TABLE, SNAPSHOTS - 4}) {
      byte[] broken = DamagedImage.make(folder, Kind.SNAPSHOTS);
      long old = ByteBuffer.wrap(broken).getLong(field);
      long beyond = field == REFCOUNT_TABLE ? 1L << 40 : old + 100_000;
      ByteBuffer.wrap(broken).putLong(field, beyond);
      Path image = Files.write(folder.resolve("image.qcow2"), broken);
      CheckReport report = repair(image, Repairing.Scope.LEAKS);
      assertTrue(report.unchecked() > 0 || report.errors() > 0, report.findings()::toString);
      assertArrayEquals(broken, Files.readAllBytes(image));
    }
  }

  /** Who asks for more than a check is told. */
  @Test
  void snapshotsBeyondTheLimitAreNotListed() throws IOException {
    byte[] broken = DamagedImage.make(folder, Kind.SNAPSHOTS);
    ByteBuffer.wrap(broken).putInt(SNAPSHOTS, -1);
    Path image = Files.write(folder.resolve("image.qcow2"), broken);
    OpenOptions tables = formats(OpenOptions.readOnly().withoutBacking());
    try (BlockDevice device = Images.open(image, tables)) {
      Snapshots snapshots = device.feature(Snapshots.class).orElseThrow();
      assertThrows(CorruptImageException.class, snapshots::list);
    }
  }
}
