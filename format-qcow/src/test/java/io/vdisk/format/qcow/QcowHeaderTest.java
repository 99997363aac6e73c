package io.vdisk.format.qcow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageException;
import io.vdisk.Limits;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.MemoryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QcowHeaderTest {
  /** As {@code qemu-img create -f qcow} writes it for 4 MiB. */
  private static final QcowHeader PLAIN = new QcowHeader(0, 0, 0, 4 << 20, 12, 9, 0, 48);

  @Test
  void headerIsLaidOutAsQemuAndXenHaveIt() {
    assertEquals(
        """
        0 4 magic
        4 4 version
        8 8 backing_file_offset
        16 4 backing_file_size
        20 4 mtime
        24 8 size
        32 1 cluster_bits
        33 1 l2_bits
        34 2 padding
        36 4 crypt_method
        40 8 l1_table_offset
        """,
        QcowHeader.STRUCT.describe());
  }

  @Test
  void extensionIsLaidOutAsXenHasItBehindTheHeader() {
    assertEquals(48, XenExtension.OFFSET);
    assertEquals(
        """
        0 4 xmagic
        4 4 cksum
        8 4 min_cluster_alloc
        12 4 flags
        """,
        XenExtension.STRUCT.describe());
  }

  @Test
  void headerReadsAsItWasWritten() throws IOException {
    QcowHeader header = new QcowHeader(64, 8, 1_800_000_000L, 5 << 20, 9, 12, 0, 4096);
    assertEquals(header, QcowHeader.read(file(header, 8192), Limits.DEFAULT));
  }

  @Test
  void backingNameIsReadWithItsLength() throws IOException {
    MemoryFile file = file(new QcowHeader(64, 8, 0, 5 << 20, 9, 12, 0, 4096), 8192);
    file.write(ByteBuffer.wrap("base.rawrubbish".getBytes()), 64);
    QcowHeader header = QcowHeader.read(file, Limits.DEFAULT);
    assertEquals(Optional.of("base.raw"), header.readBackingName(file));
    assertEquals(72, header.end());
  }

  @Test
  void tablesFollowFromTheSize() {
    assertEquals(2, PLAIN.l1Entries());
    assertEquals(4096, PLAIN.l2Bytes());
    assertEquals(3, new QcowHeader(0, 0, 0, (4 << 20) + 1, 12, 9, 0, 48).l1Entries());
    assertEquals(1, new QcowHeader(0, 0, 0, 2, 12, 9, 0, 48).l1Entries());
  }

  @ParameterizedTest
  @CsvSource({
    "8, 0, backing_file_offset", // below, with 47
    "24, 1, size",
    "32, 8, cluster_bits",
    "32, 17, cluster_bits",
    "33, 5, l2_bits",
    "33, 14, l2_bits",
    "36, 2, crypt_method",
    "40, 47, l1_table_offset",
    "40, 8185, L1 table"
  })
  void impossibleFieldIsCalledByItsName(int offset, long value, String name) throws IOException {
    MemoryFile file = file(PLAIN, 8192);
    ByteBuffer bytes = ByteBuffer.allocate(8);
    if (offset == 8) {
      bytes.putLong(47);
    } else if (offset == 32 || offset == 33) {
      bytes.put((byte) value);
    } else if (offset == 36) {
      bytes.putInt((int) value);
    } else {
      bytes.putLong(value);
    }
    file.write(bytes.flip(), offset);
    CorruptImageException e =
        assertThrows(CorruptImageException.class, () -> QcowHeader.read(file, Limits.DEFAULT));
    assertTrue(e.getMessage().contains(name), e.getMessage());
    assertTrue(e.getMessage().startsWith("image: "), e.getMessage());
  }

  @Test
  void backingNameOutsideTheFileIsCorrupt() throws IOException {
    refuse(CorruptImageException.class, new QcowHeader(8000, 1023, 0, 1 << 20, 12, 9, 0, 4096));
    refuse(CorruptImageException.class, new QcowHeader(64, 1024, 0, 1 << 20, 12, 9, 0, 4096));
    refuse(
        CorruptImageException.class,
        new QcowHeader(Long.MAX_VALUE, 1023, 0, 1 << 20, 12, 9, 0, 4096));
  }

  @Test
  void sizesThatOverflowAreRefused() throws IOException {
    refuse(UnsupportedImageException.class, new QcowHeader(0, 0, 0, -1, 12, 9, 0, 48));
    refuse(UnsupportedImageException.class, new QcowHeader(0, 0, 0, Long.MAX_VALUE, 9, 6, 0, 48));
    refuse(UnsupportedImageException.class, new QcowHeader(0, 0, 0, 1L << 47, 12, 9, 0, 48));
    refuse(
        CorruptImageException.class,
        new QcowHeader(0, 0, 0, 1 << 20, 12, 9, 0, Long.MAX_VALUE - 4));
  }

  @Test
  void callersLimitsHold() throws IOException {
    MemoryFile file = file(PLAIN, 8192);
    for (Limits limits :
        new Limits[] {
          Limits.DEFAULT.withVirtualSize(1 << 20), Limits.DEFAULT.withTableBytes(4095)
        }) {
      assertThrows(UnsupportedImageException.class, () -> QcowHeader.read(file, limits));
    }
    QcowHeader.read(file, new Limits(4 << 20, 4096, 1));
  }

  @Test
  void encryptionThatDoesNotExistIsCorrupt() throws IOException {
    CorruptImageException e =
        refuse(CorruptImageException.class, new QcowHeader(0, 0, 0, 4096, 12, 9, 2, 48));
    assertTrue(e.getMessage().contains("crypt_method"), e.getMessage());
  }

  @Test
  void fileThatEndsWithinTheHeaderIsCorrupt() throws IOException {
    MemoryFile file = file(PLAIN, 47);
    assertThrows(CorruptImageException.class, () -> QcowHeader.read(file, Limits.DEFAULT));
  }

  @Test
  void extensionIsTrustedOnlyWhereXenPutsItsTable() throws IOException {
    XenExtension extension = new XenExtension(0xc6ff8116L, 512, Optional.of(3L));
    QcowHeader xen = new QcowHeader(0, 0, 0, 4 << 20, 12, 9, 0, 4096);
    assertEquals(Optional.of(extension), XenExtension.read(file(xen, extension), xen));
    QcowHeader elsewhere = new QcowHeader(0, 0, 0, 4 << 20, 12, 9, 0, 4104);
    assertEquals(Optional.empty(), XenExtension.read(file(elsewhere, extension), elsewhere));
    assertEquals(Optional.empty(), XenExtension.read(file(xen, 8192), xen));
    QcowHeader name = new QcowHeader(48, 8, 0, 4 << 20, 12, 9, 0, 4096);
    assertEquals(Optional.empty(), XenExtension.read(file(name, extension), name));
  }

  /** Guards: the backing file's name of Xen 3.0.3 is not taken for flags. */
  @Test
  void extensionOfXen303HasNoFlags() throws IOException {
    XenExtension extension = new XenExtension(0xc6ff8116L, 1, Optional.of(0x2f746d70L));
    QcowHeader header = new QcowHeader(60, 8, 0, 4 << 20, 9, 12, 0, 4096);
    assertEquals(
        Optional.of(new XenExtension(0xc6ff8116L, 1, Optional.empty())),
        XenExtension.read(file(header, extension), header));
  }

  /** The numbers that Xen's tools print for empty tables of these sizes. */
  @Test
  void checksumIsXens() {
    assertEquals(0xc6ff8116L, XenExtension.checksumOfZeroes(24));
    assertEquals(0x3613e74aL, XenExtension.checksumOfZeroes(16));
    assertEquals(0x2b36ea7dL, XenExtension.checksumOfZeroes(8));
    assertEquals(0xc6ff8116L, XenExtension.checksum(ByteBuffer.allocate(24)));
  }

  private static <E extends ImageException> E refuse(Class<E> kind, QcowHeader header)
      throws IOException {
    MemoryFile file = file(header, 8192);
    return assertThrows(kind, () -> QcowHeader.read(file, Limits.DEFAULT));
  }

  private static MemoryFile file(QcowHeader header, XenExtension extension) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(64);
    header.encode(bytes);
    extension.encode(bytes);
    MemoryFile file = new MemoryFile("image", bytes.array());
    file.resize(8192);
    return file;
  }

  private static MemoryFile file(QcowHeader header, long size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(48);
    header.encode(bytes);
    MemoryFile file = new MemoryFile("image", bytes.array());
    file.resize(size);
    return file;
  }
}
