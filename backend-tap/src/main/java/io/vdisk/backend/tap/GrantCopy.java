package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is to be copied between pages that a domain granted and buffers of ours, in one call. All of
 * it goes in one direction: kernels before 5.17 mark the wrong pages as changed otherwise. Used
 * again and again, by one thread at a time.
 *
 * <p>In the byte order of the host ({@code struct ioctl_gntdev_grant_copy} and its segments):
 *
 * <pre>
 *   0  u32  count of segments
 *   8  u64  the address of the first, which lies at 16 here
 *
 *  a segment, 24 bytes:
 *   0  source: u64 an address here; or u32 reference, at 4 u16 offset in its page, at 6 u16 domain
 *   8  target: likewise
 *  16  u16  length in bytes; it does not leave the page
 *  18  u16  1 the source is granted, 2 the target is
 *  20  s16  status: 0 done, or what is wrong; written by the kernel
 * </pre>
 *
 * <p>Source: Linux, {@code include/uapi/xen/gntdev.h}.
 */
final class GrantCopy {
  /** _IOC(_IOC_NONE, 'G', 8, 16). */
  static final long COPY = 0x0010_4708;

  static final int HEADER = 16;
  static final int SEGMENT = 24;

  private static final int ADDRESS = 8;
  private static final int TARGET = 8;
  private static final int LENGTH = 16;
  private static final int FLAGS = 18;
  private static final int STATUS = 20;
  private static final short SOURCE_IS_GRANTED = 1;
  private static final short TARGET_IS_GRANTED = 2;

  /** Segments for which there is room at first. */
  private static final int FEW = 64;

  private final NativeDevice device;
  private final int domain;
  private final List<ByteBuffer> buffers = new ArrayList<>(); // reachable until it is done
  private ByteBuffer structure;
  private int[] owners = new int[FEW];
  private int count;

  /** For what this domain granted, through its device. */
  GrantCopy(NativeDevice device, int domain) {
    this.device = device;
    this.domain = domain;
    this.structure = room(FEW);
  }

  private ByteBuffer room(int segments) {
    ByteBuffer room =
        ByteBuffer.allocateDirect(HEADER + segments * SEGMENT).order(ByteOrder.nativeOrder());
    return room.putLong(ADDRESS, device.address(room) + HEADER);
  }

  /** Nothing is to be copied. */
  void clear() {
    buffers.clear();
    count = 0;
  }

  /**
   * A buffer is the next to be copied from or to.
   *
   * @param buffer direct
   * @return where it begins, for {@link #add}
   */
  long buffer(ByteBuffer buffer) {
    buffers.add(buffer);
    return device.address(buffer);
  }

  /**
   * Copies a part of a page into a buffer, or, if {@code toGuest}, the other way.
   *
   * @param owner what {@link #owner} tells of a segment that failed
   * @param reference the page
   * @param offset in the page, with {@code length} not past its end
   * @param address in a buffer
   */
  void add(int owner, boolean toGuest, int reference, int offset, long address, int length) {
    if (count == owners.length) {
      grow();
    }
    int at = at(count);
    int granted = toGuest ? at + TARGET : at;
    structure
        .putInt(granted, reference)
        .putShort(granted + 4, (short) offset)
        .putShort(granted + 6, (short) domain)
        .putLong(toGuest ? at : at + TARGET, address)
        .putShort(at + LENGTH, (short) length)
        .putShort(at + FLAGS, toGuest ? TARGET_IS_GRANTED : SOURCE_IS_GRANTED)
        .putShort(at + STATUS, (short) 0);
    owners[count++] = owner;
  }

  private void grow() {
    owners = Arrays.copyOf(owners, 2 * count);
    structure = room(owners.length).put(HEADER, structure, HEADER, count * SEGMENT);
  }

  private static int at(int segment) {
    return HEADER + segment * SEGMENT;
  }

  int count() {
    return count;
  }

  /**
   * Makes the call.
   *
   * @throws IOException if the kernel refused all of it; what was copied is not known then
   */
  void make() throws IOException {
    try {
      int unused = device.control(COPY, structure.putInt(0, count));
    } finally {
      Reference.reachabilityFence(buffers); // of which the kernel knows only the addresses
    }
  }

  /** What became of a segment: 0 done. */
  int status(int segment) {
    return structure.getShort(at(segment) + STATUS);
  }

  /** Whose segment it is. */
  int owner(int segment) {
    return owners[segment];
  }

  /** The page of a segment. */
  int reference(int segment) {
    int at = at(segment);
    boolean toGuest = structure.getShort(at + FLAGS) == TARGET_IS_GRANTED;
    return structure.getInt(toGuest ? at + TARGET : at);
  }
}
