package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Extent;
import io.vdisk.feature.Resizing;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/**
 * The second image of a disk: a copy of the first, or what takes over when that has no space. Owned
 * and closed by one thread at a time; its device is any thread's.
 */
final class Secondary implements Closeable {
  private final OpenImage image;
  private final Optional<MirroredDevice> mirror;
  private final Optional<StandbyDevice> standby;
  private final BlockDevice device;

  private Secondary(
      OpenImage image,
      Optional<MirroredDevice> mirror,
      Optional<StandbyDevice> standby,
      BlockDevice device) {
    this.image = image;
    this.mirror = mirror;
    this.standby = standby;
    this.device = device;
  }

  /**
   * Opens it beside the first image.
   *
   * @param leaf the first image; stays the caller's
   * @param writable whether the disk is written; a disk that is not has nothing to copy
   * @param wasInUse whether it is a standby that has taken over. One that holds anything has, too:
   *     what it holds is what the guest wrote last, before a process was killed perhaps
   */
  static Secondary open(
      ImageOpener opener, OpenRequest request, BlockDevice leaf, boolean writable, boolean wasInUse)
      throws IOException {
    DiskDescriptor name = DiskDescriptor.parse(request.secondary().orElseThrow());
    boolean isStandby = request.has(OpenFlag.STANDBY);
    Optional<BlockDevice> below =
        isStandby ? Optional.of(new NamelessDevice(leaf)) : Optional.empty();
    OpenImage image = opener.image(name, writable, below);
    try {
      checkSize(image, request, leaf);
      if (isStandby) {
        return standby(image, leaf, wasInUse);
      }
      return writable ? mirror(image, leaf) : idle(image, leaf);
    } catch (IOException | RuntimeException | Error e) {
      try (image) {
        throw e;
      }
    }
  }

  private static void checkSize(OpenImage image, OpenRequest request, BlockDevice leaf)
      throws DiskException {
    long size = image.device().size();
    if (size != leaf.size()) {
      throw new DiskException(
          Errno.EINVAL,
          String.format(
              "the secondary %s has %d bytes, and %s has %d",
              image.descriptor(), size, request.name(), leaf.size()));
    }
  }

  private static Secondary standby(OpenImage image, BlockDevice leaf, boolean wasInUse)
      throws IOException {
    boolean isInUse = wasInUse || holdsAnything(image.device());
    StandbyDevice device = new StandbyDevice(leaf, image.device(), isInUse);
    return new Secondary(image, Optional.empty(), Optional.of(device), device);
  }

  private static Secondary mirror(OpenImage image, BlockDevice leaf) {
    MirroredDevice device = new MirroredDevice(leaf, image.device(), image.descriptor().toString());
    return new Secondary(image, Optional.of(device), Optional.empty(), device);
  }

  /** Of a disk that is not written. */
  private static Secondary idle(OpenImage image, BlockDevice leaf) {
    return new Secondary(image, Optional.empty(), Optional.empty(), leaf);
  }

  private static boolean holdsAnything(BlockDevice device) throws IOException {
    long size = device.size();
    long offset = 0;
    while (offset < size) {
      Extent extent = device.extentAt(offset, size - offset);
      if (extent.depth() == 0 && extent.kind() != Extent.Kind.HOLE) {
        return true;
      }
      offset += extent.length();
    }
    return false;
  }

  /** Its driver and path. */
  DiskDescriptor descriptor() {
    return image.descriptor();
  }

  /** The first image together with it. */
  BlockDevice device() {
    return device;
  }

  /** Whether the host has what was written to it even if this process is killed. */
  boolean keepsWrites() {
    return descriptor().type().isRaw();
  }

  /** Whether it was to be a copy and is none. */
  boolean hasMirrorFailed() {
    return mirror.map(MirroredDevice::hasFailed).orElse(false);
  }

  /** Whether it is a copy. */
  boolean isMirror() {
    return mirror.isPresent() && !hasMirrorFailed();
  }

  /** Whether it is to take over, or has. */
  boolean isStandby() {
    return standby.isPresent();
  }

  /** Whether it has taken over. */
  boolean isStandbyInUse() {
    return standby.map(StandbyDevice::isInUse).orElse(false);
  }

  /** Sectors that were written to it since it took over. */
  long redirectedSectors() {
    return standby.map(StandbyDevice::redirectedSectors).orElse(0L);
  }

  /** Makes a copy as large as the first image has become, or gives it up. */
  void grow(long size) {
    if (!isMirror()) {
      return;
    }
    Optional<Resizing> resizing = image.device().feature(Resizing.class);
    if (resizing.isEmpty()) {
      mirror.orElseThrow().fail("it cannot change its size");
      return;
    }
    try {
      resizing.get().resize(size);
    } catch (IOException e) {
      mirror.orElseThrow().fail(e.toString());
    }
  }

  /** Flushes and closes it; what a copy fails at is not the disk's failure. */
  @Override
  public void close() throws IOException {
    try {
      image.close();
    } catch (IOException e) {
      if (mirror.isEmpty()) {
        throw e;
      }
      mirror.get().fail(e.toString());
    }
  }
}
