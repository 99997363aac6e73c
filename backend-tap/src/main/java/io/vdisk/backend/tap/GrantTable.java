package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * The pages that another domain granted to this one, through an open device {@code
 * /dev/xen/gntdev}. They are mapped here, or parts of them are copied. Any thread may call.
 *
 * <p>A page that is mapped stays what it is until it is unmapped here, whatever its owner does: Xen
 * does not let it take the grant back, and keeps the page of a domain that died. So touching it
 * never fails. A copy looks at the grant when it is made, and fails where there is none.
 *
 * <p>Sources: Linux, {@code include/uapi/xen/gntdev.h}, {@code drivers/xen/gntdev.c}; Xen, {@code
 * xen/include/public/grant_table.h}.
 */
final class GrantTable implements Closeable {
  // _IOC(_IOC_NONE, 'G', number, size of the structure).
  /** {@code u32 count, u32, u64 index (returned), count times {u32 domain, u32 reference}}. */
  static final long MAP = 0x0018_4700;

  /** {@code u64 index, u32 count, u32}. */
  static final long UNMAP = 0x0010_4701;

  private static final int MAP_INDEX = 8;
  private static final int MAP_REFERENCES = 16;
  private static final int UNMAP_SIZE = 16;

  /** The number of the error of a page that its domain's pager must bring back first. */
  private static final int EAGAIN = 11;

  /** The same as status of a copy: GNTST_eagain. */
  private static final int STATUS_AGAIN = -12;

  /** So often is asked again, a millisecond apart each time. */
  private static final int MOST_TRIES = 1000;

  private static final long PAUSE_NANOSECONDS = 1_000_000;

  private final NativeDevice device;
  private final int domain;

  /** The table of this domain; the device is the table's. */
  GrantTable(NativeDevice device, int domain) {
    this.device = device;
    this.domain = domain;
  }

  /** A copy of parts of pages, to be filled. */
  GrantCopy newCopy() {
    return new GrantCopy(device, domain);
  }

  /**
   * Maps pages for reading and writing, one behind the other.
   *
   * @throws IOException if one of them is not granted so
   */
  MappedGrants map(List<Integer> references) throws IOException {
    try {
      ByteBuffer map = structure(MAP_REFERENCES + references.size() * 2 * Integer.BYTES);
      map.putInt(0, references.size()).position(MAP_REFERENCES);
      references.forEach(reference -> map.putInt(domain).putInt(reference));
      int unused = device.control(MAP, map.rewind());
      return map(map.getLong(MAP_INDEX), references.size());
    } catch (IOException e) {
      String numbers =
          references.stream().map(Integer::toUnsignedString).collect(Collectors.joining(", "));
      throw new IOException(
          "domain "
              + domain
              + " did not grant us what it named, "
              + numbers
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private MappedGrants map(long index, int count) throws IOException {
    try {
      NativeMemory memory = mapPatiently(index, count * TapRequest.PAGE_SIZE);
      return new MappedGrants(this, memory, index, count);
    } catch (IOException | RuntimeException | Error e) {
      release(index, count);
      throw e;
    }
  }

  private NativeMemory mapPatiently(long index, int length) throws IOException {
    for (int tries = 1; ; tries++) {
      try {
        return device.map(index, length);
      } catch (NativeException e) {
        if (e.errno() != EAGAIN || tries == MOST_TRIES) {
          throw e;
        }
        LockSupport.parkNanos(PAUSE_NANOSECONDS);
      }
    }
  }

  /** Ends the kernel's part of a mapping, whose memory is not here any longer. */
  void release(long index, int count) throws IOException {
    int unused = device.control(UNMAP, structure(UNMAP_SIZE).putLong(0, index).putInt(8, count));
  }

  private static ByteBuffer structure(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /**
   * Copies, and says of each segment how it went.
   *
   * @throws IOException if the kernel refused all of it; what was copied is not known then
   */
  void copy(GrantCopy copy) throws IOException {
    if (copy.count() == 0) {
      return;
    }
    for (int tries = 1; ; tries++) {
      copy.make();
      if (tries == MOST_TRIES || !hasToBeAskedAgain(copy)) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOSECONDS);
    }
  }

  private static boolean hasToBeAskedAgain(GrantCopy copy) {
    for (int i = 0; i < copy.count(); i++) {
      if (copy.status(i) == STATUS_AGAIN) {
        return true;
      }
    }
    return false;
  }

  /** Closes the device; nothing of it may be mapped any longer. */
  @Override
  public void close() throws IOException {
    device.close();
  }
}
