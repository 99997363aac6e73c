package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.ForwardingFile;
import io.vdisk.file.HostFile;
import io.vdisk.file.MemoryFile;
import io.vdisk.spi.Probe;
import io.vdisk.testkit.PlainFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QcowCreatorTest {
  private final MemoryFile file = new MemoryFile("image");

  @Test
  void emptyImageIsByteForByteThatOfXen41() throws IOException {
    Images.create(file, options(4 << 20).withOption("xen", "on")).close();
    assertArrayEquals(bytes(Samples.load("empty4-xen-4.1-blktap2.qcow")), bytes(file));
  }

  /** But for the name's length, the time and the flag, which 3.4 did not set. */
  @Test
  void childIsLaidOutAsXens() throws IOException {
    Images.create(file, overlay().withOption("xen", "on")).close();
    byte[] expected = new byte[72];
    Samples.load("child1-xen-3.4rc3.qcow").readFully(ByteBuffer.wrap(expected), 0);
    ByteBuffer.wrap(expected).putInt(20, 0).putInt(60, 3);
    byte[] made = new byte[72];
    file.readFully(ByteBuffer.wrap(made), 0);
    assertArrayEquals(expected, made);
  }

  /** What Xen's {@code qcow-create -r 1} makes. */
  @Test
  void reservedImageHasXensLengthAndItsSpaceIsUsed() throws IOException {
    CreateOptions options =
        options(1 << 20).withOption("xen", "on").withOption("preallocation", "full");
    try (BlockDevice device = Images.create(file, options)) {
      assertEquals(1_057_280, file.size());
      device.write(ByteBuffer.allocate(4096), 0);
      assertEquals(12288, device.extentAt(0, 1).fileOffset(), "behind the first L2 table");
    }
    assertEquals(1_057_280, file.size());
  }

  @ParameterizedTest
  @CsvSource({
    "512, 12",
    "1024, 11",
    "2048, 10",
    "4096, 9",
    "8192, 10",
    "16384, 11",
    "32768, 12",
    "65536, 13"
  })
  void tablesMapTwoMebibytesOrAreAClusterLong(String clusterSize, int l2Bits) throws IOException {
    Images.create(file, options(4 << 20).withOption("cluster_size", clusterSize)).close();
    QcowHeader header = QcowHeader.read(file, Limits.DEFAULT);
    assertEquals(Integer.parseInt(clusterSize), header.clusterSize());
    assertEquals(l2Bits, header.l2Bits());
  }

  @Test
  void clustersAreSmallAboveABackingFile() throws IOException {
    try (BlockDevice device = Images.create(file, overlay())) {
      assertEquals(5 << 20, device.size(), "as large as the backing file");
      assertEquals(512, device.info().unit());
      assertEquals("base.raw", device.info().backing().orElseThrow().name());
      assertEquals(Samples.BASE, Samples.sha256(device));
    }
  }

  @Test
  void imageMayBeLargerOrSmallerThanItsBackingFile() throws IOException {
    for (long size : new long[] {1 << 20, 8 << 20}) {
      MemoryFile image = new MemoryFile("image");
      try (BlockDevice device = Images.create(image, overlay().withVirtualSize(size))) {
        byte[] expected = new byte[(int) size];
        Samples.load("base.raw").read(ByteBuffer.wrap(expected), 0);
        assertArrayEquals(expected, Samples.content(device));
      }
    }
  }

  @Test
  void partOfASectorIsMadeAWholeOneAsQemuDoes() throws IOException {
    try (BlockDevice device = Images.create(file, options(1000))) {
      assertEquals(1024, device.size());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "cluster_size, 256",
    "cluster_size, 131072",
    "cluster_size, 5000",
    "cluster_size, 04096",
    "xen, yes",
    "preallocation, full", // without xen
    "preallocation, metadata",
    "compat, 1.1"
  })
  void optionThatIsNotKnownIsRefused(String name, String value) throws IOException {
    CreateOptions options = options(1 << 20).withOption(name, value);
    assertThrows(IllegalArgumentException.class, () -> Images.create(file, options));
    assertEquals(0, file.size());
  }

  @Test
  void impossibleSizeIsRefused() throws IOException {
    assertThrows(IllegalArgumentException.class, () -> Images.create(file, options(0)));
    assertThrows(UnsupportedImageException.class, () -> Images.create(file, options(1L << 47)));
    assertThrows(
        IllegalArgumentException.class,
        () -> Images.create(file, options(512).withBacking("n".repeat(1024), null)));
    assertEquals(0, file.size());
  }

  @Test
  void longestNameFits() throws IOException {
    String name = "n".repeat(1023);
    CreateOptions options =
        options(1 << 20).withBacking(name, null).withReferences(r -> new MemoryFile("empty"));
    try (BlockDevice device = Images.create(file, options)) {
      assertEquals(name, device.info().backing().orElseThrow().name());
    }
  }

  /** Guards: half an image is none, wherever creation stops. */
  @Test
  void headerIsWrittenLast() throws IOException {
    for (int writes = 0; ; writes++) {
      MemoryFile target = new MemoryFile("image");
      Failing failing = new Failing(target, writes);
      try {
        Images.create(failing, overlay().withOption("xen", "on")).close();
        assertFalse(writes == 0);
        return;
      } catch (IOException e) {
        assertEquals(Probe.NO, new QcowFormat().probe(target), "after " + writes + " writes");
      }
    }
  }

  @Test
  void xensFieldsAreTold() throws IOException {
    try (BlockDevice device = Images.create(file, options(4 << 20).withOption("xen", "on"))) {
      assertEquals(
          Map.of(
              "cksum",
              0x3613e74aL,
              "min-cluster-alloc",
              512L,
              "flags",
              3L,
              "l1-little-endian",
              false),
          device.info().details().get("xen"));
    }
  }

  private static CreateOptions options(long size) {
    return CreateOptions.of("qcow", size)
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(Samples.POLICY);
  }

  private static CreateOptions overlay() {
    return CreateOptions.overlay("qcow", "base.raw", null)
        .withFormats(List.of(new QcowFormat(), new PlainFormat()))
        .withReferences(Samples.POLICY);
  }

  private static byte[] bytes(HostFile file) throws IOException {
    byte[] bytes = new byte[(int) file.size()];
    file.readFully(ByteBuffer.wrap(bytes), 0);
    return bytes;
  }

  /** Fails after some writes. */
  private static final class Failing extends ForwardingFile {
    private int left;

    Failing(HostFile file, int left) {
      super(file);
      this.left = left;
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (left-- <= 0) {
        throw new IOException("planned");
      }
      super.write(src, offset);
    }
  }
}
