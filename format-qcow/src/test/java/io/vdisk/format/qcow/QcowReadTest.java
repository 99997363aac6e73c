package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Extent;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.SecretException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Probe;
import io.vdisk.testkit.PlainFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QcowReadTest {
  private static final String EMPTY =
      "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8";
  private static final String CHILD =
      "d13d95779e7ad54fb10b7bc4e1d05f8e448ab744e6b4a545a064ba67ffb3817b";

  @ParameterizedTest
  @CsvSource({
    "compressed-qemu.qcow, " + Samples.BASE,
    "img2qcow-xen-3.2rc6.qcow, " + Samples.BASE,
    "img2qcow-xen-3.4rc3.qcow, " + Samples.BASE,
    "empty4-xen-3.0.3.qcow, " + EMPTY,
    "empty4-xen-4.1-blktap2.qcow, " + EMPTY,
    "child1-xen-3.4rc3.qcow, " + CHILD,
  })
  void imageOfEveryWriterReadsRight(String name, String sha256) throws IOException {
    assertEquals(sha256, Samples.sha256(Samples.load(name)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compressed-qemu.qcow",
        "img2qcow-xen-3.2rc6.qcow",
        "img2qcow-xen-3.4rc3.qcow",
        "empty4-xen-3.0.3.qcow",
        "empty4-xen-4.1-blktap2.qcow",
        "child1-xen-3.4rc3.qcow"
      })
  void imageOfEveryWriterIsFoundClean(String name) throws IOException {
    CheckReport report = check(Samples.load(name));
    assertEquals(List.of(), report.findings());
    assertEquals(name.startsWith("compressed"), report.compressedUnits() > 0, name + " " + report);
  }

  /** Xen 3.3 and 3.4 turn the L1 table round whenever they open the image. */
  @Test
  void imageWhoseTableXenTurnedRoundReadsTheSame() throws IOException {
    MemoryFile file = Samples.load("img2qcow-xen-3.4rc3.qcow");
    turnRound(file);
    assertEquals(Samples.BASE, Samples.sha256(file));
    assertEquals(true, xen(file).get("l1-little-endian"));
  }

  /** Xen 4.1 swaps the right table of 3.4 and flags it as right: it then reads zeroes itself. */
  @Test
  void flagOfTheByteOrderIsNotBelieved() throws IOException {
    for (String name : List.of("img2qcow-xen-3.4rc3.qcow", "img2qcow-xen-3.2rc6.qcow")) {
      MemoryFile file = Samples.load(name);
      file.write(ByteBuffer.allocate(4).putInt(0, 3), 60);
      assertEquals(Samples.BASE, Samples.sha256(file));
      turnRound(file);
      assertEquals(Samples.BASE, Samples.sha256(file));
    }
  }

  /** The name of the backing file lies where later releases have flags. */
  @Test
  void childOfXen303IsReadWithItsName() throws IOException {
    MemoryFile file = Samples.load("child1-xen-3.4rc3.qcow");
    file.write(ByteBuffer.allocate(8).putLong(0, 60), 8);
    file.write(ByteBuffer.wrap("base.raw\0\0\0\0".getBytes()), 60);
    assertEquals(CHILD, Samples.sha256(file));
    assertFalse(xen(file).containsKey("flags"));
  }

  @Test
  void chainOfQcowOverQcowOverRawReadsThrough() throws IOException {
    MemoryFile file = Samples.load("child1-xen-3.4rc3.qcow");
    byte[] name = "child1-xen-3.4rc3.qcow".getBytes();
    // Another child, all of whose L1 entries are empty.
    MemoryFile above = Samples.load("child1-xen-3.4rc3.qcow");
    above.resize(4096);
    above.resize(8192);
    above.write(ByteBuffer.allocate(4).putInt(0, name.length), 16);
    above.write(ByteBuffer.wrap(name), 64);
    assertEquals(CHILD, Samples.sha256(above));
    assertEquals(CHILD, Samples.sha256(file));
  }

  @Test
  void backingFileIsOpenedByThePolicyAlone() throws IOException {
    MemoryFile file = Samples.load("child1-xen-3.4rc3.qcow");
    OpenOptions denied =
        OpenOptions.readOnly().withFormats(List.of(new QcowFormat(), new PlainFormat()));
    assertThrows(ReferenceDeniedException.class, () -> Images.open(file, denied));
    try (BlockDevice alone = Images.open(file, denied.withoutBacking())) {
      assertEquals("base.raw", alone.info().backing().orElseThrow().name());
      assertEquals(Optional.empty(), alone.info().backing().orElseThrow().format());
      assertEquals(512, alone.info().unit());
    }
  }

  @Test
  void encryptedImageNeedsItsPassphrase() throws IOException {
    MemoryFile file = Samples.load("aes-qemu.qcow");
    SecretException e =
        assertThrows(SecretException.class, () -> Images.open(file, Samples.reading()));
    assertEquals(
        "aes-qemu.qcow: encrypted (aes), and no passphrase was given for it", e.getMessage());
  }

  @Test
  void version2IsNotRecognised() throws IOException {
    MemoryFile file =
        new MemoryFile("image", new byte[] {0x51, 0x46, 0x49, (byte) 0xfb, 0, 0, 0, 2});
    assertEquals(Probe.NO, new QcowFormat().probe(file));
    assertEquals(Probe.NO, new QcowFormat().probe(new MemoryFile("empty")));
    assertEquals(Probe.MAGIC, new QcowFormat().probe(Samples.load("aes-qemu.qcow")));
  }

  @Test
  void extentsAgreeWithWhatIsRead() throws IOException {
    for (String name : List.of("child1-xen-3.4rc3.qcow", "compressed-qemu.qcow")) {
      try (BlockDevice device = Images.open(Samples.load(name), Samples.reading())) {
        byte[] content = Samples.content(device);
        long position = 0;
        for (Extent extent : device.extents(0, device.size())) {
          assertEquals(position, extent.offset());
          position += extent.length();
          if (extent.readsAsZero()) {
            assertArrayEquals(
                new byte[(int) extent.length()],
                java.util.Arrays.copyOfRange(content, (int) extent.offset(), (int) position));
          }
        }
        assertEquals(device.size(), position);
      }
    }
  }

  @Test
  void tableOutsideTheFileIsCorruptWhereItIsNeeded() throws IOException {
    MemoryFile file = Samples.load("compressed-qemu.qcow");
    for (long entry : new long[] {file.size(), 1L << 62, 0x18001, 40, -4096}) {
      MemoryFile damaged = Samples.load("compressed-qemu.qcow");
      damaged.write(ByteBuffer.allocate(8).putLong(0, entry), 48 + 8);
      try (BlockDevice device = Images.open(damaged, Samples.reading())) {
        device.read(ByteBuffer.allocate(512), 0);
        CorruptImageException e =
            assertThrows(
                CorruptImageException.class, () -> device.read(ByteBuffer.allocate(512), 2 << 20));
        assertTrue(e.getMessage().contains("L1 entry of guest offset 2097152"), e.getMessage());
      }
      assertEquals(1, check(damaged).errors(), "entry " + entry);
    }
  }

  @Test
  void clusterOutsideTheFileIsCorruptWhereItIsNeeded() throws IOException {
    MemoryFile image = Samples.load("img2qcow-xen-3.4rc3.qcow");
    long size = image.size();
    for (long entry : new long[] {size, size + 4096, 513, 0x1000, Long.MAX_VALUE, 1L << 63, -1}) {
      MemoryFile damaged = Samples.load("img2qcow-xen-3.4rc3.qcow");
      damaged.write(ByteBuffer.allocate(8).putLong(0, entry), 0x3000 + 8 * 3);
      try (BlockDevice device = Images.open(damaged, Samples.reading())) {
        device.read(ByteBuffer.allocate(3 * 4096), 0);
        CorruptImageException e =
            assertThrows(
                CorruptImageException.class, () -> device.read(ByteBuffer.allocate(4096), 12288));
        assertTrue(e.getMessage().contains("guest offset 12288"), e.getMessage());
      }
      assertEquals(1, check(damaged).errors(), "entry " + entry);
    }
  }

  @Test
  void clusterThatTwoEntriesNameIsAnError() throws IOException {
    MemoryFile damaged = Samples.load("img2qcow-xen-3.4rc3.qcow");
    damaged.write(ByteBuffer.allocate(8).putLong(0, 0x4000), 0x3000 + 8 * 3);
    CheckReport report = check(damaged);
    assertEquals(1, report.errors());
    assertTrue(report.findings().get(0).message().contains("guest offset 12288"));
  }

  @Test
  void damagedCompressedClusterIsCorrupt() throws IOException {
    MemoryFile damaged = Samples.load("compressed-qemu.qcow");
    try (BlockDevice device = Images.open(damaged, Samples.reading())) {
      Extent first = encoded(device);
      // A deflate block of the kind that there is not.
      damaged.write(ByteBuffer.wrap(new byte[] {-1}), first.fileOffset());
      CorruptImageException e =
          assertThrows(
              CorruptImageException.class,
              () -> device.read(ByteBuffer.allocate(1), first.offset()));
      assertTrue(e.getMessage().contains("compressed cluster at"), e.getMessage());
      device.read(ByteBuffer.allocate(4096), first.offset() + 4096);
    }
  }

  @Test
  void compressedClusterThatEndsEarlyIsCorrupt() throws IOException {
    MemoryFile damaged = Samples.load("compressed-qemu.qcow");
    try (BlockDevice device = Images.open(damaged, Samples.reading())) {
      Extent first = encoded(device);
      // One stored block of no bytes, the last.
      damaged.write(ByteBuffer.wrap(new byte[] {1, 0, 0, -1, -1}), first.fileOffset());
      CorruptImageException e =
          assertThrows(
              CorruptImageException.class,
              () -> device.read(ByteBuffer.allocate(1), first.offset()));
      assertTrue(
          e.getMessage().endsWith("compressed cluster at " + first.fileOffset() + " is broken"),
          e.getMessage());
    }
  }

  private static Extent encoded(BlockDevice device) throws IOException {
    long offset = 0;
    while (!device.extentAt(offset, 4096).isEncoded()) {
      offset += 4096;
    }
    return device.extentAt(offset, 4096);
  }

  private static CheckReport check(HostFile file) throws IOException {
    try (BlockDevice device = Images.open(file, Samples.reading())) {
      return device.feature(Checking.class).orElseThrow().check((done, total) -> true);
    }
  }

  private static Map<?, ?> xen(HostFile file) throws IOException {
    try (BlockDevice device = Images.open(file, Samples.reading())) {
      return (Map<?, ?>) device.info().details().get("xen");
    }
  }

  private static void turnRound(HostFile file) throws IOException {
    ByteBuffer table = ByteBuffer.allocate(24);
    file.readFully(table, 4096);
    ByteBuffer turned = ByteBuffer.allocate(24);
    for (int i = 0; i < 24; i += 8) {
      turned.putLong(i, Long.reverseBytes(table.getLong(i)));
    }
    file.write(turned, 4096);
  }
}
