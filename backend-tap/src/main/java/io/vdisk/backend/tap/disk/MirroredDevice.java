package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Does every change to two devices of one size; reads from the first. What the second one fails at
 * ends the mirroring and fails no guest: from then on the second is left alone, and is no copy.
 *
 * <p>Changes of one range reach both in one order, and with the same bytes even if a guest changes
 * its pages meanwhile, so the copy stays one however many threads write. The second is written
 * after the first succeeded; what failed on the first may differ afterwards.
 */
final class MirroredDevice extends ForwardingDevice {
  /** What is done to a device. */
  @FunctionalInterface
  private interface Change {
    void apply(BlockDevice device) throws IOException;
  }

  private static final System.Logger LOG = System.getLogger(MirroredDevice.class.getName());

  private final BlockDevice mirror;
  private final String name;
  private final StripedLocks locks = new StripedLocks();
  private volatile boolean hasFailed;

  /**
   * Both devices stay their opener's.
   *
   * @param name of the mirror, for the host's log
   */
  MirroredDevice(BlockDevice device, BlockDevice mirror, String name) {
    super(device);
    this.mirror = mirror;
    this.name = name;
  }

  /** Whether the mirror failed at something. */
  boolean hasFailed() {
    return hasFailed;
  }

  /** Ends the mirroring for this reason. */
  void fail(String reason) {
    hasFailed = true;
    LOG.log(System.Logger.Level.WARNING, "the mirror {0} is given up: {1}", name, reason);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    ByteBuffer bytes = hasFailed ? src : copy(src);
    change(offset, src.remaining(), device -> device.write(bytes.duplicate(), offset));
    src.position(src.limit());
  }

  private static ByteBuffer copy(ByteBuffer src) {
    return ByteBuffer.allocate(src.remaining()).put(src.duplicate()).flip();
  }

  @Override
  public void writeZeroes(long offset, long length) throws IOException {
    change(offset, length, device -> device.writeZeroes(offset, length));
  }

  /** Each of the two may forget the range or not, as any device may. */
  @Override
  public void discard(long offset, long length) throws IOException {
    change(offset, length, device -> device.discard(offset, length));
  }

  @Override
  public void flush() throws IOException {
    device().flush();
    applyToMirror(BlockDevice::flush);
  }

  private void change(long offset, long length, Change change) throws IOException {
    if (offset < 0 || length < 0) {
      throw new IndexOutOfBoundsException(length + " bytes at " + offset);
    }
    locks.lock(offset, length);
    try {
      change.apply(device());
      applyToMirror(change);
    } finally {
      locks.unlock(offset, length);
    }
  }

  private void applyToMirror(Change change) {
    if (hasFailed) {
      return;
    }
    try {
      change.apply(mirror);
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      fail(e.toString());
    }
  }
}
