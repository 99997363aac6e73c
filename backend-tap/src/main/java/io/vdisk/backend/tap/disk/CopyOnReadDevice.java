package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Copies into an image what a read brings from the images below, so that the next read finds it
 * there. Only data is copied, and only where the image holds nothing itself; what the image does
 * about the rest of a unit that is written in part is its format's. A read returns when its copy is
 * made, so that nothing is under way once all requests are answered.
 *
 * <p>The guest notices nothing:
 *
 * <ol>
 *   <li>A copy never comes over what the guest writes: changes hold a lock that is shared among
 *       them, a copy holds it alone and looks again whether the image holds the range.
 *   <li>Reads of one stripe at a time are all copied, one after the other: a guest that reads ahead
 *       does so once.
 *   <li>What is copied are bytes that no guest can reach, as they were read.
 *   <li>A copy that fails fails no read, and is the last: reads go on from the images below.
 *   <li>The host's last space is the guest's: see {@link HostRoom}.
 * </ol>
 *
 * <p>Any thread may call.
 */
final class CopyOnReadDevice extends ForwardingDevice {
  private static final System.Logger LOG = System.getLogger(CopyOnReadDevice.class.getName());

  private final HostRoom room;
  private final String name;
  private final long unit;
  private final StripedLocks locks = new StripedLocks();
  private final AtomicBoolean hasFailed = new AtomicBoolean();

  /**
   * One above an image of a disk; none where there is nothing to copy, or nothing to copy it to: a
   * disk that is not written, or has no parent. As in tapdisk that is no error.
   *
   * @param image stays its opener's
   * @param name of the image
   */
  static Optional<CopyOnReadDevice> above(BlockDevice image, DiskDescriptor name)
      throws IOException {
    if (!image.capabilities().containsAll(Set.of(Capability.WRITE, Capability.BACKING))) {
      return Optional.empty();
    }
    HostRoom room = HostRoom.of(name.hostPath());
    return Optional.of(new CopyOnReadDevice(image, room, name.toString()));
  }

  /**
   * A device; the one behind stays its opener's.
   *
   * @param device can be written, and reads from others what it does not hold
   * @param room of the host for it
   * @param name of the image, for the host's log
   */
  CopyOnReadDevice(BlockDevice device, HostRoom room, String name) {
    super(device);
    this.room = room;
    this.name = name;
    this.unit = device.info().unit();
  }

  /** Whether a copy failed, and none is made any more. */
  boolean hasFailed() {
    return hasFailed.get();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    if (hasFailed() || !comesFromBelow(offset, dst.remaining())) {
      super.read(dst, offset);
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(dst.remaining());
    super.read(bytes, offset);
    bytes.flip();
    dst.put(bytes.duplicate());
    keep(bytes, offset);
  }

  /** Whether any of it does; false if that cannot be told, since then the read has to say why. */
  private boolean comesFromBelow(long offset, int length) {
    Objects.checkFromIndexSize(offset, (long) length, size());
    long end = offset + length;
    try {
      for (long at = offset; at < end; ) {
        Extent extent = device().extentAt(at, end - at);
        if (isFromBelow(extent)) {
          return true;
        }
        at += extent.length();
      }
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  /** What reads as zero is told by tables alone, and costs no copy to be read again. */
  private static boolean isFromBelow(Extent extent) {
    return extent.depth() > 0 && !extent.readsAsZero();
  }

  private void keep(ByteBuffer bytes, long offset) {
    int length = bytes.remaining();
    locks.lock(offset, length);
    try {
      copy(bytes, offset);
    } catch (IOException | RuntimeException e) {
      fail(e);
    } finally {
      locks.unlock(offset, length);
    }
  }

  private void copy(ByteBuffer bytes, long offset) throws IOException {
    long end = offset + bytes.remaining();
    for (long at = offset; at < end && !hasFailed(); ) {
      Extent extent = device().extentAt(at, end - at);
      int start = (int) (at - offset);
      int length = (int) extent.length();
      if (isFromBelow(extent)) {
        if (!room.take(Math.addExact(unit, length))) {
          return;
        }
        device().write(bytes.slice(start, length), at);
      }
      at += length;
    }
  }

  private void fail(Exception reason) {
    if (hasFailed.compareAndSet(false, true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "what is read from below {0} is not copied into it any more: {1}",
          name,
          reason.toString());
    }
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    long length = src.remaining();
    locks.lockShared(offset, length);
    try {
      super.write(src, offset);
    } finally {
      locks.unlockShared(offset, length);
    }
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    locks.lockShared(offset, length);
    try {
      super.writeZeroes(offset, length);
    } finally {
      locks.unlockShared(offset, length);
    }
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    locks.lockShared(offset, length);
    try {
      super.discard(offset, length);
    } finally {
      locks.unlockShared(offset, length);
    }
  }
}
