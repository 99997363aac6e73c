package io.vdisk.format.vhd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageCommit;
import io.vdisk.ImageRebase;
import io.vdisk.Images;
import io.vdisk.Progress;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.feature.BackingLink;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Emptying;
import io.vdisk.feature.Repairing;
import io.vdisk.feature.Resizing;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of whole images, and chains of them. */
class VhdAlterationTest {
  private static final int MIB = 1 << 20;

  private final Disks disks = new Disks();

  private byte[] make(String name, int size, String... options) throws IOException {
    byte[] content = Arrays.copyOf(Disks.random(size - 777, 1), size);
    try (BlockDevice device = disks.create(name, disks.creating(size, options))) {
      Disks.write(device, content, 0);
    }
    return content;
  }

  @ParameterizedTest
  @CsvSource({
    "block_size, 65536, 200", // the table moves blocks away
    "block_size, 2097152, 11",
    "metadata_size, 1073741824, 100",
    "xen, on, 9000",
    "subformat, fixed, 11",
  })
  void aGrownDiskReadsAsBeforeAndZeroBehind(String option, String value, int mib)
      throws IOException {
    byte[] content = make("a.vhd", 5 * MIB, option, value);
    long size = (long) mib * MIB;
    try (BlockDevice device = disks.write("a.vhd")) {
      device.feature(Resizing.class).orElseThrow().resize(size);
      assertEquals(size, device.size());
      Disks.write(device, content, size - content.length);
    }
    disks.assertClean("a.vhd");
    try (BlockDevice device = disks.open("a.vhd")) {
      assertEquals(size, device.size());
      assertReads(content, device, 0);
      assertReads(content, device, size - content.length);
      int gap = (int) Math.min(4 * MIB, size - 2L * content.length);
      if (gap > 0) {
        assertReads(new byte[gap], device, content.length);
      }
    }
  }

  private static void assertReads(byte[] content, BlockDevice device, long offset)
      throws IOException {
    ByteBuffer read = ByteBuffer.allocate(content.length);
    device.read(read, offset);
    assertArrayEquals(content, read.array());
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "fixed"})
  void aDiskThatShrankAndGrewAgainIsZeroThere(String subformat) throws IOException {
    byte[] content = make("a.vhd", 8 * MIB, "subformat", subformat);
    try (BlockDevice device = disks.write("a.vhd")) {
      Resizing resizing = device.feature(Resizing.class).orElseThrow();
      resizing.resize(3 * MIB + 512);
      assertReads(Arrays.copyOf(content, 3 * MIB + 512), device, 0);
      resizing.resize(8 * MIB);
      assertReads(new byte[5 * MIB - 512], device, 3 * MIB + 512);
      assertReads(Arrays.copyOf(content, 3 * MIB + 512), device, 0);
    }
    disks.assertClean("a.vhd");
  }

  @Test
  void aSizeAbove2040GibIsRefusedAndVhdxOffered() throws IOException {
    make("a.vhd", MIB);
    try (BlockDevice device = disks.write("a.vhd")) {
      Resizing resizing = device.feature(Resizing.class).orElseThrow();
      UnsupportedImageException refusal =
          assertThrows(UnsupportedImageException.class, () -> resizing.resize((2040L << 30) + 512));
      assertTrue(refusal.getMessage().contains("vhdx"), refusal.getMessage());
      assertEquals(MIB, device.size());
    }
  }

  @Test
  void aDiskIsHiddenAndShownAgain() throws IOException {
    byte[] content = make("a.vhd", 3 * MIB, "xen", "on");
    try (BlockDevice device = disks.write("a.vhd")) {
      Amending amending = device.feature(Amending.class).orElseThrow();
      amending.amend(Map.of("hidden", "1", "marker", "77"), Progress.NONE);
      assertEquals(1, device.info().details().get("hidden"));
      assertEquals(77, device.info().details().get("marker"));
      assertThrows(
          IllegalArgumentException.class,
          () -> amending.amend(Map.of("hidden", "256"), Progress.NONE));
      assertThrows(
          IllegalArgumentException.class, () -> amending.amend(Map.of("size", "1"), Progress.NONE));
    }
    disks.assertClean("a.vhd");
    assertArrayEquals(content, disks.content("a.vhd"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "fixed"})
  void aChainOfThreeReadsAndCommitsDown(String subformat) throws IOException {
    byte[] content = make("a.vhd", 5 * MIB, "subformat", subformat);
    for (String[] pair : new String[][] {{"b.vhd", "a.vhd"}, {"c.vhd", "b.vhd"}}) {
      byte[] part = Disks.random(70_000, pair[0].hashCode());
      int offset = pair[0].equals("b.vhd") ? MIB : MIB + 30_001;
      try (BlockDevice device = disks.create(pair[0], disks.child(pair[1], "vhd"))) {
        Disks.write(device, part, offset);
      }
      System.arraycopy(part, 0, content, offset, part.length);
      disks.assertClean(pair[0]);
    }
    assertArrayEquals(content, disks.content("c.vhd"));
    for (String[] pair : new String[][] {{"c.vhd", "b.vhd"}, {"b.vhd", "a.vhd"}}) {
      try (BlockDevice base = disks.write(pair[1]);
          BlockDevice overlay =
              Images.open(disks.file(pair[0]), disks.reading().asReadWrite().withBacking(base))) {
        ImageCommit.of(overlay, base).emptyingOverlay().run();
      }
      disks.assertClean(pair[0]);
      disks.assertClean(pair[1]);
      assertArrayEquals(content, disks.content(pair[1]));
      assertArrayEquals(content, disks.content(pair[0]));
    }
  }

  @Test
  void aChildGrowsBeyondItsParent() throws IOException {
    byte[] content = make("a.vhd", MIB);
    disks.create("b.vhd", disks.child("a.vhd", "vhd")).close();
    try (BlockDevice device = disks.write("b.vhd")) {
      device.feature(Resizing.class).orElseThrow().resize(9L << 30);
      Disks.write(device, content, 8L << 30);
    }
    disks.assertClean("b.vhd");
    try (BlockDevice device = disks.open("b.vhd")) {
      assertReads(content, device, 0);
      assertReads(new byte[MIB], device, MIB);
      assertReads(content, device, 8L << 30);
    }
  }

  @Test
  void anEmptiedChildShowsItsParentAndIsSmall() throws IOException {
    byte[] content = make("a.vhd", 5 * MIB);
    try (BlockDevice device = disks.create("b.vhd", disks.child("a.vhd", "vhd"))) {
      Disks.write(device, new byte[4 * MIB], 0);
      device.feature(Emptying.class).orElseThrow().empty();
      assertArrayEquals(content, Samples.content(device));
      Disks.write(device, new byte[10], 100);
    }
    Arrays.fill(content, 100, 110, (byte) 0);
    assertArrayEquals(content, disks.content("b.vhd"));
    assertTrue(disks.file("b.vhd").size() < 3 * MIB);
    disks.assertClean("b.vhd");
  }

  @Test
  void aRebasedChildReadsTheSame() throws IOException {
    byte[] content = make("a.vhd", 5 * MIB);
    make("other.vhd", 3 * MIB);
    byte[] part = Disks.random(100_000, 9);
    try (BlockDevice device = disks.create("b.vhd", disks.child("a.vhd", "vhd"))) {
      Disks.write(device, part, 2 * MIB - 5000);
    }
    System.arraycopy(part, 0, content, 2 * MIB - 5000, part.length);
    try (BlockDevice device = disks.write("b.vhd");
        BlockDevice other = disks.open("other.vhd")) {
      ImageRebase.of(device, other, "other.vhd", Optional.of("vhd")).run();
    }
    disks.assertClean("b.vhd");
    try (BlockDevice device = disks.open("b.vhd")) {
      assertEquals("other.vhd", device.info().backing().orElseThrow().name());
    }
    assertArrayEquals(content, disks.content("b.vhd"));
    try (BlockDevice device = disks.write("b.vhd")) {
      ImageRebase.flattening(device).run();
    }
    try (BlockDevice device = disks.open("b.vhd")) {
      assertEquals(Optional.empty(), device.info().backing());
      assertEquals("dynamic", device.info().details().get("subformat"));
    }
    disks.assertClean("b.vhd");
    assertArrayEquals(content, disks.content("b.vhd"));
  }

  @Test
  void aParentOfAnotherIdIsRefused() throws IOException {
    make("a.vhd", MIB);
    make("other.vhd", MIB);
    disks.create("b.vhd", disks.child("a.vhd", "vhd")).close();
    disks.put("a.vhd", disks.file("other.vhd"));
    CorruptImageException refusal =
        assertThrows(CorruptImageException.class, () -> disks.open("b.vhd"));
    assertTrue(refusal.getMessage().contains("id"), refusal.getMessage());
    try (BlockDevice other = disks.open("other.vhd")) {
      assertThrows(
          CorruptImageException.class,
          () -> Images.open(disks.file("b.vhd"), disks.reading().withBacking(other)));
    }
  }

  @Test
  void aLoopOfParentsIsRefused() throws IOException {
    make("a.vhd", MIB);
    disks.create("b.vhd", disks.child("a.vhd", "vhd")).close();
    disks.create("c.vhd", disks.child("b.vhd", "vhd")).close();
    try (BlockDevice device =
        Images.open(disks.file("b.vhd"), disks.reading().asReadWrite().withoutBacking())) {
      device
          .feature(BackingLink.class)
          .orElseThrow()
          .change(Optional.of("c.vhd"), Optional.of("vhd"));
    }
    CorruptImageException refusal =
        assertThrows(CorruptImageException.class, () -> disks.open("c.vhd"));
    assertTrue(refusal.getMessage().contains("comes back"), refusal.getMessage());
  }

  @Test
  void footersAreMendedFromEachOther() throws IOException {
    byte[] content = make("a.vhd", 5 * MIB);
    HostFile file = disks.file("a.vhd");
    long end = file.size() - 512;
    for (long lost : new long[] {0, end}) {
      file.write(ByteBuffer.allocate(512), lost);
      CheckReport report = disks.check("a.vhd");
      assertEquals(0, report.errors());
      assertTrue(report.warnings() > 0);
      assertArrayEquals(content, disks.content("a.vhd"));
      repair("a.vhd");
      disks.assertClean("a.vhd");
      assertArrayEquals(content, disks.content("a.vhd"));
    }
  }

  /** As after a power cut: the file is longer, and no footer is at its end. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFooterThatIsLostAtTheEndComesBack(boolean byWriting) throws IOException {
    byte[] content = make("a.vhd", 5 * MIB);
    HostFile file = disks.file("a.vhd");
    long size = file.size();
    for (int longer : new int[] {-512, 0, 512, 3 * MIB + 100}) {
      file.resize(size - 512);
      file.write(ByteBuffer.wrap(Disks.random(512 + longer, 4)), size - 512);
      assertArrayEquals(content, disks.content("a.vhd"));
      if (byWriting) {
        try (BlockDevice device = disks.write("a.vhd")) {
          Disks.write(device, Arrays.copyOf(content, 100), 0);
        }
      } else {
        repair("a.vhd");
      }
      disks.assertClean("a.vhd");
      assertEquals(size, file.size());
      assertArrayEquals(content, disks.content("a.vhd"));
    }
  }

  @Test
  void wrongChecksumsAreMended() throws IOException {
    byte[] content = make("a.vhd", 5 * MIB);
    HostFile file = disks.file("a.vhd");
    for (long field : new long[] {64, 512 + 36, file.size() - 512 + 64}) {
      file.write(ByteBuffer.allocate(4), field);
    }
    assertThrows(
        CorruptImageException.class, () -> Images.open(file, disks.reading().withFormat("vhd")));
    assertTrue(repair("a.vhd").errorsFixed() >= 2);
    disks.assertClean("a.vhd");
    assertArrayEquals(content, disks.content("a.vhd"));
  }

  @Test
  void theSampleWithAWrongChecksumIsMendedAndReads() throws IOException {
    disks.put("image.vhd", Samples.load("image.vhd"));
    assertTrue(repair("image.vhd").errorsFixed() > 0);
    assertEquals(104_448, disks.content("image.vhd").length);
  }

  @Test
  void theFooterOfAFixedDiskIsFoundBeforeTheEnd() throws IOException {
    byte[] content = make("a.vhd", 5 * MIB, "subformat", "fixed");
    disks.file("a.vhd").resize(9 * MIB);
    assertThrows(
        CorruptImageException.class,
        () -> Images.open(disks.file("a.vhd"), disks.reading().withFormat("vhd")));
    repair("a.vhd");
    disks.assertClean("a.vhd");
    assertArrayEquals(content, disks.content("a.vhd"));
  }

  @Test
  void anImageOpenForRepairTakesNoWrites() throws IOException {
    make("a.vhd", MIB);
    try (BlockDevice device =
        Images.open(disks.file("a.vhd"), disks.reading().forRepair().withFormat("vhd"))) {
      assertThrows(UnsupportedImageException.class, () -> Disks.write(device, new byte[100], 0));
    }
    assertFalse(disks.content("a.vhd")[0] == 0);
  }

  private CheckReport repair(String name) throws IOException {
    try (BlockDevice device =
        Images.open(
            disks.file(name), disks.reading().forRepair().withFormat("vhd").withoutBacking())) {
      return device
          .feature(Repairing.class)
          .orElseThrow()
          .repair(Repairing.Scope.ALL, Progress.NONE);
    }
  }
}
