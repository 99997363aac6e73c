package io.vdisk.backend.tap;

import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * How a guest lays out the entries of a ring: the structures are the same, but a guest of 32 bits
 * aligns its 64-bit fields to 4 bytes, and one of 64 bits to 8.
 *
 * <p>An entry is a request or, later, the response in its place. All fields are in the byte order
 * of the host. Offsets in bytes, from the entry's first:
 *
 * <pre>
 *                                  x86_32   x86_64
 *  operation        u8                  0        0
 *  read, write, write barrier, flush:
 *   segment count   u8                  1        1
 *   id              u64                 4        8
 *   sector          u64                12       16
 *   11 segments                        20       24    page u32, first sector u8, last sector u8, u16
 *  discard:
 *   flags           u8                  1        1
 *   id              u64                 4        8
 *   sector          u64                12       16
 *   sector count    u64                20       24
 *  indirect:
 *   operation       u8                  1        1
 *   segment count   u16                 2        2
 *   id              u64                 4        8
 *   sector          u64                12       16
 *   8 pages         u32                24       28    each of up to 512 segments
 *  response:
 *   id              u64                 0        0
 *   operation       u8                  8        8
 *   status          s16                10       10
 *  size of an entry                   108      112
 * </pre>
 *
 * <p>Sources: Xen, {@code xen/include/public/io/blkif.h}; Linux, {@code
 * drivers/block/xen-blkback/common.h}.
 */
public enum RingAbi {
  /** A guest of 32 bits on x86. */
  X86_32(1, 4, 108),

  /** A guest of 64 bits, on x86 and, with the same alignment, on others. */
  X86_64(2, 8, 112);

  /** Bytes before the first entry: the indices of both sides. */
  static final int HEADER_SIZE = 64;

  // Where these indices are in the header, u32 each.
  static final int REQUESTS = 0;
  static final int REQUEST_EVENT = 4;
  static final int RESPONSES = 8;
  static final int RESPONSE_EVENT = 12;

  private static final int SEGMENT_COUNT = 1;
  private static final int INDIRECT_OPERATION = 1;
  private static final int INDIRECT_SEGMENT_COUNT = 2;
  private static final int RESPONSE_OPERATION = 8;
  private static final int RESPONSE_STATUS = 10;

  private final int code;
  private final int id;
  private final int entrySize;

  RingAbi(int code, int id, int entrySize) {
    this.code = code;
    this.id = id;
    this.entrySize = entrySize;
  }

  /** That of programs of the machine that this JVM runs on. */
  public static RingAbi ofHost() {
    String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return architecture.equals("x86") || architecture.equals("i386") ? X86_32 : X86_64;
  }

  /** Its number in {@link SharedFileLayout}. */
  int code() {
    return code;
  }

  /** Bytes of an entry. */
  int entrySize() {
    return entrySize;
  }

  /** How many entries a ring of so many bytes has: the greatest power of two that fits. */
  int entryCount(int ringBytes) {
    return Integer.highestOneBit((ringBytes - HEADER_SIZE) / entrySize);
  }

  /** Where the entry of a place is in a ring, in bytes. */
  int offset(int place) {
    return HEADER_SIZE + place * entrySize;
  }

  /** Writes a response into the entry of a place of a ring. */
  void putResponse(ByteBuffer ring, int place, long id, int operation, short status) {
    int at = offset(place);
    ring.putLong(at, id);
    ring.put(at + RESPONSE_OPERATION, (byte) operation);
    ring.putShort(at + RESPONSE_STATUS, status);
  }

  int segmentCount() {
    return SEGMENT_COUNT;
  }

  int indirectOperation() {
    return INDIRECT_OPERATION;
  }

  int indirectSegmentCount() {
    return INDIRECT_SEGMENT_COUNT;
  }

  int id() {
    return id;
  }

  int sector() {
    return id + 8;
  }

  int segments() {
    return id + 16;
  }

  int discardedSectors() {
    return id + 16;
  }

  int indirectPages() {
    return id + 20;
  }
}
