package io.vdisk.format.qcow;

import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/**
 * What Xen's blktap writes behind the qcow header: 16 bytes, big-endian, 12 in Xen 3.0.3, which had
 * no flags and put the backing file's name where they are now.
 *
 * <p>The flags do not tell the byte order of the L1 table, whatever their name says: see {@link
 * L1Order}.
 *
 * @param cksum of the L1 table; where it is wrong Xen ignores the extension
 * @param minClusterAlloc clusters that Xen allocates at a time; where that is a whole L2 table, Xen
 *     computes where a cluster lies and does not look at the table
 * @param flags {@link #SPARSE} and {@link #L1_BIG_ENDIAN}; empty in the layout of 12 bytes
 */
record XenExtension(long cksum, long minClusterAlloc, Optional<Long> flags) {
  static final Struct STRUCT = Struct.bigEndian("Xen extended header");
  private static final Struct.U32 XMAGIC = STRUCT.u32("xmagic");
  private static final Struct.U32 CKSUM = STRUCT.u32("cksum");
  private static final Struct.U32 MIN_CLUSTER_ALLOC = STRUCT.u32("min_cluster_alloc");
  private static final Struct.U32 FLAGS = STRUCT.u32("flags");

  static {
    STRUCT.end(16);
  }

  /** "XEN" and 0xfb. */
  private static final long XEN_MAGIC = 0x58454efbL;

  /** The file was not extended to its full length; since 3.1. */
  static final long SPARSE = 1;

  /** The L1 table is big-endian; since 4.1. 3.0.4 had its sparse flag here. */
  static final long L1_BIG_ENDIAN = 2;

  /** Where it begins. */
  static final int OFFSET = QcowHeader.STRUCT.size();

  /** Its length in Xen 3.0.3. */
  private static final int SHORT_LENGTH = 12;

  /** Xen puts the L1 table at a multiple of this, QEMU next to the header. */
  static final int L1_ALIGNMENT = 4096;

  /** Reads the extension; empty if the image has none, as QEMU's have none. */
  static Optional<XenExtension> read(HostFile file, QcowHeader header) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    file.readPadded(bytes, OFFSET);
    boolean none =
        header.l1TableOffset() % L1_ALIGNMENT != 0
            || XMAGIC.get(bytes, 0) != XEN_MAGIC
            || (header.backingFileOffset() != 0
                && header.backingFileOffset() < OFFSET + SHORT_LENGTH);
    if (none) {
      return Optional.empty();
    }
    boolean isShort = header.backingFileOffset() == OFFSET + SHORT_LENGTH;
    return Optional.of(
        new XenExtension(
            CKSUM.get(bytes, 0),
            MIN_CLUSTER_ALLOC.get(bytes, 0),
            isShort ? Optional.empty() : Optional.of(FLAGS.get(bytes, 0))));
  }

  /** Puts the layout of 16 bytes behind the header. */
  void encode(ByteBuffer bytes) {
    XMAGIC.put(bytes, OFFSET, XEN_MAGIC);
    CKSUM.put(bytes, OFFSET, cksum);
    MIN_CLUSTER_ALLOC.put(bytes, OFFSET, minClusterAlloc);
    FLAGS.put(bytes, OFFSET, flags.orElse(0L));
  }

  /**
   * Makes Xen read the L2 tables again, before there is a cluster where it would not look for it.
   *
   * <p>An image whose L1 table is big-endian becomes one like QEMU's. Of one whose table is
   * little-endian the extension is all that says so, and only the size of the extents goes.
   */
  static void retire(HostFile file, ByteOrder l1Order) throws IOException {
    if (l1Order == ByteOrder.BIG_ENDIAN) {
      file.write(ByteBuffer.allocate(XMAGIC.length()), OFFSET + XMAGIC.offset());
    } else {
      file.write(ByteBuffer.allocate(4).putInt(0, 1), OFFSET + MIN_CLUSTER_ALLOC.offset());
    }
  }

  /** What is left of it then. */
  Optional<XenExtension> retired(ByteOrder l1Order) {
    return l1Order == ByteOrder.BIG_ENDIAN
        ? Optional.empty()
        : Optional.of(new XenExtension(cksum, 1, flags));
  }

  /** The checksum of an L1 table, as it is on disk, that is zero throughout. */
  static long checksumOfZeroes(long l1Bytes) {
    MessageDigest md5 = md5();
    byte[] zeroes = new byte[(int) Math.min(l1Bytes, 1 << 16)];
    for (long left = l1Bytes; left > 0; left -= zeroes.length) {
      md5.update(zeroes, 0, (int) Math.min(left, zeroes.length));
    }
    return checksum(md5);
  }

  /** The checksum of an L1 table as it is on disk. */
  static long checksum(ByteBuffer l1Table) {
    MessageDigest md5 = md5();
    md5.update(l1Table);
    return checksum(md5);
  }

  /** The first four bytes of the sum, which Xen takes for a little-endian number. */
  private static long checksum(MessageDigest md5) {
    return Integer.toUnsignedLong(
        ByteBuffer.wrap(md5.digest()).order(ByteOrder.LITTLE_ENDIAN).getInt());
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has MD5", e);
    }
  }
}
