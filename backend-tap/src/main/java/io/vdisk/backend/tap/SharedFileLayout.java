package io.vdisk.backend.tap;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * What a file holds through which a guest and a server share a ring. All integers are in the byte
 * order of the host.
 *
 * <pre>
 *  page 0                the guest writes, before it connects:
 *                         0  u64  magic, the bytes "vdisktap"
 *                         8  u32  version, 1
 *                        12  u32  ABI of the ring: 1 x86_32, 2 x86_64
 *                        16  u32  pages of the ring, n: a power of two up to 16
 *                        20  u32  pages of data, m: up to 262,144, which is 1 GiB
 *                        24  u64  a number that no other guest has
 *                        the server writes, before it answers and when the disk grows:
 *                        64  u64  sectors of the disk, of 512 bytes
 *                        72  u32  bytes of a sector of the disk
 *                        76  u32  1 a CD-ROM, 2 removable, 4 read-only (blkif's VDISK_*)
 *                        80  u32  what else than read and write: 1 barrier, 2 flush, 4 discard
 *                        84  u32  segments of an indirect request at most
 *  pages 1 to n          the ring
 *  pages n + 1 to n + m  data; a segment's page is its number from 0 on
 * </pre>
 *
 * @param abi how the entries of the ring are laid out
 * @param ringPages pages of 4096 bytes
 * @param dataPages pages of 4096 bytes
 */
public record SharedFileLayout(RingAbi abi, int ringPages, int dataPages) {
  static final int PAGE = TapRequest.PAGE_SIZE;

  /** Pages of a ring at most: 512 entries; as many as any front end of Linux asks for. */
  static final int MOST_RING_PAGES = 16;

  /** Pages of data at most: a mapping of Java ends at 2 GiB. */
  static final int MOST_DATA_PAGES = 1 << 18;

  static final int SESSION = 24;
  static final int SECTORS = 64;
  static final int SECTOR_SIZE = 72;
  static final int INFO = 76;
  static final int FEATURES = 80;
  static final int INDIRECT_SEGMENTS = 84;

  static final int BARRIER = 1;
  static final int FLUSH = 2;
  static final int DISCARD = 4;

  private static final byte[] MAGIC = {'v', 'd', 'i', 's', 'k', 't', 'a', 'p'};
  private static final int VERSION_1 = 1;
  private static final int VERSION = 8;
  private static final int ABI = 12;
  private static final int RING_PAGES = 16;
  private static final int DATA_PAGES = 20;

  /**
   * Throws.
   *
   * @throws IllegalArgumentException for numbers of pages that are not allowed
   */
  public SharedFileLayout {
    if (Integer.bitCount(ringPages) != 1 || ringPages < 1 || ringPages > MOST_RING_PAGES) {
      throw new IllegalArgumentException("a ring has 1, 2, 4, 8 or 16 pages, not " + ringPages);
    }
    if (dataPages < 1 || dataPages > MOST_DATA_PAGES) {
      throw new IllegalArgumentException("there are 1 to 262144 pages of data, not " + dataPages);
    }
  }

  /** Bytes of the file. */
  long size() {
    return (1L + ringPages + dataPages) * PAGE;
  }

  /** Writes the guest's part of page 0, and maps the whole. */
  MappedByteBuffer create(FileChannel file) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.nativeOrder());
    page.put(0, MAGIC);
    page.putInt(VERSION, VERSION_1).putInt(ABI, abi.code());
    page.putInt(RING_PAGES, ringPages).putInt(DATA_PAGES, dataPages);
    page.putLong(SESSION, new SecureRandom().nextLong());
    file.truncate(0);
    file.write(page, 0);
    return map(file);
  }

  /** The layout that a guest wrote into a file. */
  static SharedFileLayout read(FileChannel file, String name) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.nativeOrder());
    while (page.hasRemaining() && file.read(page, page.position()) > 0) {}
    byte[] magic = new byte[MAGIC.length];
    page.get(0, magic);
    if (page.hasRemaining() || !Arrays.equals(magic, MAGIC)) {
      throw new CorruptImageException(
          name + " is not a ring's file: it does not begin with vdisktap");
    }
    if (page.getInt(VERSION) != VERSION_1) {
      throw new CorruptImageException(
          name + " has version " + page.getInt(VERSION) + ", which is not known");
    }
    try {
      SharedFileLayout layout =
          new SharedFileLayout(
              abi(page.getInt(ABI)), page.getInt(RING_PAGES), page.getInt(DATA_PAGES));
      if (file.size() != layout.size()) {
        throw new CorruptImageException(
            name + " has " + file.size() + " bytes, but should have " + layout.size());
      }
      return layout;
    } catch (IllegalArgumentException e) {
      throw new CorruptImageException(name + ": " + e.getMessage());
    }
  }

  private static RingAbi abi(int code) {
    for (RingAbi abi : RingAbi.values()) {
      if (abi.code() == code) {
        return abi;
      }
    }
    throw new IllegalArgumentException("the ABI of a ring is 1 or 2, not " + code);
  }

  MappedByteBuffer map(FileChannel file) throws IOException {
    MappedByteBuffer all = file.map(MapMode.READ_WRITE, 0, size());
    all.order(ByteOrder.nativeOrder());
    return all;
  }

  /** The ring's part of a mapping of the whole. */
  ByteBuffer ring(ByteBuffer all) {
    return all.slice(PAGE, ringPages * PAGE).order(ByteOrder.nativeOrder());
  }

  /** The data pages' part of a mapping of the whole. */
  ByteBuffer data(ByteBuffer all) {
    return all.slice((1 + ringPages) * PAGE, dataPages * PAGE).order(ByteOrder.nativeOrder());
  }
}
