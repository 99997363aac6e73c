package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.feature.Resizing;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The images of a disk while it is open, and the one device that a guest is served from:
 *
 * <pre>
 * sync: durable  -&gt;  log of changed blocks  -&gt;  mirror or standby  -&gt;  image  -&gt;  images below
 * </pre>
 *
 * <p>Owned and closed by one thread at a time; its device is any thread's.
 */
final class OpenDisk implements Closeable {
  private final List<OpenImage> images;
  private final Optional<OpenImage> secondary;
  private final Optional<MirroredDevice> mirrored;
  private final Optional<StandbyDevice> standby;
  private final Optional<ChangedBlockLog> log;
  private final boolean isReadOnly;
  private final BlockDevice device;

  private OpenDisk(Opening opening) {
    this.images = opening.images;
    this.secondary = opening.secondary;
    this.mirrored = opening.mirrored;
    this.standby = opening.standby;
    this.log = opening.log;
    this.isReadOnly = opening.isReadOnly;
    this.device = opening.device();
  }

  /**
   * Opens all of it, or nothing.
   *
   * @param isStandbyInUse whether the standby image holds what the guest wrote last
   */
  static OpenDisk open(
      DiskPolicy policy, RamDisks rams, OpenRequest request, boolean isStandbyInUse)
      throws IOException {
    request.checkBuilt();
    DiskChain chain = DiskChain.parse(request.name());
    ImageOpener opener = new ImageOpener(policy, rams, request);
    Opening opening = new Opening(opener.chain(chain), isReadOnly(chain, request));
    boolean isOpened = false;
    try {
      if (request.hasSecondary()) {
        opening.addSecondary(opener, request, isStandbyInUse);
      }
      if (request.log().isPresent() && !opening.isReadOnly) {
        opening.log =
            Optional.of(ChangedBlockLog.open(request.log().get(), opening.current.size()));
      }
      isOpened = true;
      return new OpenDisk(opening);
    } finally {
      if (!isOpened) {
        opening.close();
      }
    }
  }

  private static boolean isReadOnly(DiskChain chain, OpenRequest request) {
    return request.isReadOnly() || chain.top().isReadOnly();
  }

  /** What is open so far. One thread. */
  private static final class Opening implements Closeable {
    final List<OpenImage> images;
    final boolean isReadOnly;
    Optional<OpenImage> secondary = Optional.empty();
    Optional<MirroredDevice> mirrored = Optional.empty();
    Optional<StandbyDevice> standby = Optional.empty();
    Optional<ChangedBlockLog> log = Optional.empty();
    BlockDevice current;

    Opening(List<OpenImage> images, boolean isReadOnly) {
      this.images = images;
      this.isReadOnly = isReadOnly;
      this.current = images.get(0).device();
    }

    void addSecondary(ImageOpener opener, OpenRequest request, boolean isStandbyInUse)
        throws IOException {
      DiskDescriptor name = DiskDescriptor.parse(request.secondary().orElseThrow());
      boolean isStandby = request.has(OpenRequest.STANDBY);
      Optional<BlockDevice> below =
          isStandby ? Optional.of(new NamelessDevice(current)) : Optional.empty();
      OpenImage second = opener.image(name, !isReadOnly, below);
      secondary = Optional.of(second);
      if (second.device().size() != current.size()) {
        throw new DiskException(
            Errno.EINVAL,
            String.format(
                "the secondary %s has %d bytes, and %s has %d",
                name, second.device().size(), request.name(), current.size()));
      }
      if (isReadOnly) {
        return; // nothing will be written to either
      }
      if (isStandby) {
        standby = Optional.of(new StandbyDevice(current, second.device(), isStandbyInUse));
        current = standby.get();
      } else {
        mirrored = Optional.of(new MirroredDevice(current, second.device(), name.toString()));
        current = mirrored.get();
      }
    }

    BlockDevice device() {
      BlockDevice top = log.isPresent() ? new LoggedDevice(current, log.get()) : current;
      return isSerial(images) ? new DurableDevice(top) : top;
    }

    @Override
    public void close() throws IOException {
      OpenDisk.close(secondary, images, log);
    }
  }

  private static boolean isSerial(List<OpenImage> images) {
    return images.get(0).descriptor().type() == DiskType.SYNC;
  }

  /** What the guest's requests go to. Closing it closes nothing. */
  BlockDevice device() {
    return device;
  }

  /** Whether one request at a time is to be carried out. */
  boolean isSerial() {
    return isSerial(images);
  }

  boolean isReadOnly() {
    return isReadOnly;
  }

  DiskInfo info() {
    return DiskInfo.of(device.size(), isReadOnly);
  }

  /** The guest's image. */
  DiskDescriptor image() {
    return images.get(0).descriptor();
  }

  /** The images, the guest's first, as a tapdisk orders them. */
  List<DiskDescriptor> names() {
    List<DiskDescriptor> names = new ArrayList<>();
    log.ifPresent(file -> names.add(new DiskDescriptor(DiskType.LOG, file.name())));
    for (OpenImage image : images) {
      names.add(image.descriptor());
    }
    int leaf = log.isPresent() ? 1 : 0;
    if (mirrored.isPresent() && !hasMirrorFailed()) {
      names.add(leaf + 1, secondary.orElseThrow().descriptor());
    }
    if (isStandbyInUse()) {
      names.add(leaf, secondary.orElseThrow().descriptor());
    }
    return names;
  }

  /** Whether a mirror was asked for and has failed. */
  boolean hasMirrorFailed() {
    return mirrored.map(MirroredDevice::hasFailed).orElse(false);
  }

  /** Whether the standby image holds what was written last. */
  boolean isStandbyInUse() {
    return standby.map(StandbyDevice::isInUse).orElse(false);
  }

  /** Sectors that were written to the standby image. */
  long redirectedSectors() {
    return standby.map(StandbyDevice::redirectedSectors).orElse(0L);
  }

  /**
   * Makes the disk larger, while no request is under way.
   *
   * @param size bytes, whole sectors
   */
  void grow(long size) throws IOException {
    long before = device.size();
    Resizing resizing = growable(size, before);
    if (log.isPresent()) {
      log.get().grow(size);
    }
    boolean isGrown = false;
    try {
      resizing.resize(size);
      isGrown = true;
    } finally {
      if (!isGrown && log.isPresent()) {
        log.get().grow(before);
      }
    }
    if (mirrored.isPresent() && !hasMirrorFailed()) {
      growMirror(mirrored.get(), size);
    }
  }

  private Resizing growable(long size, long before) throws DiskException {
    OpenImage leaf = images.get(0);
    if (size < before || size % DiskInfo.SECTOR != 0) {
      throw new DiskException(
          Errno.EINVAL,
          leaf.descriptor() + " cannot grow from " + before + " to " + size + " bytes");
    }
    if (isReadOnly || standby.isPresent()) {
      throw new DiskException(
          Errno.EINVAL,
          leaf.descriptor()
              + (isReadOnly ? " is read-only" : " has a standby image")
              + ", and does not grow");
    }
    return leaf.device()
        .feature(Resizing.class)
        .orElseThrow(
            () -> new DiskException(Errno.ENOSYS, leaf.descriptor() + " cannot change its size"));
  }

  private void growMirror(MirroredDevice mirror, long size) {
    Optional<Resizing> resizing = secondary.orElseThrow().device().feature(Resizing.class);
    if (resizing.isEmpty()) {
      mirror.fail("it cannot change its size");
      return;
    }
    try {
      resizing.get().resize(size);
    } catch (IOException e) {
      mirror.fail(e.toString());
    }
  }

  /** Flushes and closes all of it, whatever fails. */
  @Override
  public void close() throws IOException {
    close(secondary, images, log);
  }

  private static void close(
      Optional<OpenImage> secondary, List<OpenImage> images, Optional<ChangedBlockLog> log)
      throws IOException {
    List<Closeable> open = new ArrayList<>();
    secondary.ifPresent(image -> open.add(image.device()));
    images.forEach(image -> open.add(image.device()));
    IOException failure = null;
    for (Closeable part : open) {
      failure = closed(part, failure);
    }
    if (log.isPresent()) {
      boolean isClean = failure == null;
      failure = closed(() -> log.get().close(isClean), failure);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static @Nullable IOException closed(Closeable part, @Nullable IOException failure) {
    try {
      part.close();
    } catch (IOException e) {
      if (failure == null) {
        return e;
      }
      failure.addSuppressed(e);
    }
    return failure;
  }
}
