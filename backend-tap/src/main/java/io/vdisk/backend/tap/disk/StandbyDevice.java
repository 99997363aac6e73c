package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.backend.tap.DiskInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Writes to a device until it has no space, then to another one that stands above it. The change
 * that found no space is done again there; once that one is in use, nothing is written to the first
 * any more, because what the second holds shadows it.
 */
final class StandbyDevice extends ForwardingDevice {
  /** What is done to a device. */
  @FunctionalInterface
  private interface Change {
    void apply(BlockDevice device) throws IOException;
  }

  private final BlockDevice standby;

  /** Held shared by every change, so that none is under way on the first when the second comes. */
  private final ReentrantReadWriteLock turn = new ReentrantReadWriteLock();

  private final LongAdder redirectedSectors = new LongAdder();
  private volatile boolean isInUse; // written under the exclusive lock

  /**
   * A device; both stay their opener's.
   *
   * @param standby reads from {@code device} what it does not hold
   * @param isInUse whether the first has run out of space before
   */
  StandbyDevice(BlockDevice device, BlockDevice standby, boolean isInUse) {
    super(device);
    this.standby = standby;
    this.isInUse = isInUse;
  }

  /** Whether the first has run out of space. */
  boolean isInUse() {
    return isInUse;
  }

  /** Sectors of 512 bytes that were written since. */
  long redirectedSectors() {
    return redirectedSectors.sum();
  }

  @Override
  public void read(ByteBuffer dst, long offset) throws IOException {
    current().read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    change(src.remaining(), device -> device.write(src.duplicate(), offset));
    src.position(src.limit());
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    change(length, device -> device.writeZeroes(offset, length));
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    change(0, device -> device.discard(offset, length));
  }

  @Override
  public void flush() throws IOException {
    device().flush();
    if (isInUse) {
      standby.flush();
    }
  }

  @Override
  public Extent extentAt(long offset, long limit) throws IOException {
    return current().extentAt(offset, limit);
  }

  private BlockDevice current() {
    return isInUse ? standby : device();
  }

  private void change(long length, Change change) throws IOException {
    turn.readLock().lock();
    try {
      if (!isInUse) {
        change.apply(device());
        return;
      }
    } catch (IOException e) {
      if (Errno.of(e) != Errno.ENOSPC) {
        throw e;
      }
    } finally {
      turn.readLock().unlock();
    }
    if (!isInUse) {
      switchOver();
    }
    change.apply(standby);
    redirectedSectors.add(length / DiskInfo.SECTOR);
  }

  private void switchOver() {
    turn.writeLock().lock();
    try {
      isInUse = true;
    } finally {
      turn.writeLock().unlock();
    }
  }
}
