package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.feature.Resizing;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The images of a disk while it is open, and the one device that a guest is served from:
 *
 * <pre>
 * sync: durable  -&gt;  log of changed blocks  -&gt;  mirror or standby  -&gt;  copy on read
 *     -&gt;  counts of a chain  -&gt;  image  -&gt;  images below
 * </pre>
 *
 * <p>Owned and closed by one thread at a time; its device is any thread's.
 */
final class OpenDisk implements Closeable {
  private final List<OpenImage> images;
  private final boolean isReadOnly;
  private final Optional<Secondary> secondary;
  private final Optional<ChangedBlockLog> log;
  private final Optional<ChainDevice> chain;
  private final Optional<CopyOnReadDevice> cache;
  private final BlockDevice device;

  private OpenDisk(
      List<OpenImage> images,
      Optional<ChainDevice> chain,
      Optional<CopyOnReadDevice> cache,
      BlockDevice leaf,
      boolean isReadOnly,
      Optional<Secondary> secondary,
      Optional<ChangedBlockLog> log) {
    this.images = images;
    this.chain = chain;
    this.cache = cache;
    this.isReadOnly = isReadOnly;
    this.secondary = secondary;
    this.log = log;
    BlockDevice changed = secondary.map(Secondary::device).orElse(leaf);
    BlockDevice logged = log.isPresent() ? new LoggedDevice(changed, log.get()) : changed;
    this.device = isSerial() ? new DurableDevice(logged) : logged;
  }

  /**
   * Opens all of it, or nothing. A log is opened for a disk that is written.
   *
   * @param isStandbyInUse whether the standby image holds what the guest wrote last
   */
  static OpenDisk open(
      DiskPolicy policy, RamDisks rams, OpenRequest request, boolean isStandbyInUse)
      throws IOException {
    request.checkBuilt();
    DiskChain chain = DiskChain.parse(request.name());
    boolean writable = !request.isReadOnly() && !chain.top().isReadOnly();
    ImageOpener opener = new ImageOpener(policy, rams, request);
    List<OpenImage> images = opener.chain(chain);
    Optional<Secondary> secondary = Optional.empty();
    try {
      Optional<ChainDevice> counted =
          images.size() > 1
              ? Optional.of(new ChainDevice(images.get(0).device(), images.size()))
              : Optional.empty();
      BlockDevice image = counted.isPresent() ? counted.get() : images.get(0).device();
      Optional<CopyOnReadDevice> cache =
          request.has(OpenFlag.LOCAL_CACHE)
              ? CopyOnReadDevice.above(image, images.get(0).descriptor())
              : Optional.empty();
      BlockDevice leaf = cache.isPresent() ? cache.get() : image;
      if (request.hasSecondary()) {
        secondary = Optional.of(Secondary.open(opener, request, leaf, writable, isStandbyInUse));
      }
      Optional<ChangedBlockLog> log = Optional.empty();
      if (writable && request.log().isPresent()) {
        log = Optional.of(ChangedBlockLog.open(request.log().get(), leaf.size()));
      }
      return new OpenDisk(images, counted, cache, leaf, !writable, secondary, log);
    } catch (IOException | RuntimeException | Error e) {
      FirstFailure closing = new FirstFailure();
      closeImages(secondary, images, closing);
      closing.suppressIn(e);
      throw e;
    }
  }

  /** What the guest's requests go to. Closing it closes nothing. */
  BlockDevice device() {
    return device;
  }

  /** Whether one request at a time is to be carried out. */
  boolean isSerial() {
    return image().type() == DiskType.SYNC;
  }

  boolean isReadOnly() {
    return isReadOnly;
  }

  /** Whether the host has what was written even if this process is killed. */
  boolean keepsWrites() {
    DiskType type = image().type();
    return (type.isRaw() || type == DiskType.RAM)
        && secondary.map(Secondary::keepsWrites).orElse(true);
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
    images.forEach(image -> names.add(image.descriptor()));
    if (secondary.isPresent() && secondary.get().isMirror()) {
      names.add(1, secondary.get().descriptor());
    }
    if (cache.isPresent()) {
      names.add(1, new DiskDescriptor(DiskType.LC, image().path()));
    }
    if (isStandbyInUse()) {
      names.add(0, secondary.orElseThrow().descriptor());
    }
    log.ifPresent(file -> names.add(0, new DiskDescriptor(DiskType.LOG, file.name())));
    return names;
  }

  /** Sectors that were read from an image below the guest's; the guest's image is 0. */
  long sectorsOf(DiskDescriptor image) {
    for (int i = 1; i < images.size(); i++) {
      if (images.get(i).descriptor().equals(image)) {
        return chain.orElseThrow().sectorsOf(i);
      }
    }
    return 0;
  }

  /** The same of all images below the guest's. */
  long sectorsBelow() {
    long sum = 0;
    for (int i = 1; i < images.size(); i++) {
      sum += chain.orElseThrow().sectorsOf(i);
    }
    return sum;
  }

  /** Whether a mirror was asked for and has failed. */
  boolean hasMirrorFailed() {
    return secondary.map(Secondary::hasMirrorFailed).orElse(false);
  }

  /** Whether the standby image holds what was written last. */
  boolean isStandbyInUse() {
    return secondary.map(Secondary::isStandbyInUse).orElse(false);
  }

  /** Sectors that were written to the standby image. */
  long redirectedSectors() {
    return secondary.map(Secondary::redirectedSectors).orElse(0L);
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
    secondary.ifPresent(image -> image.grow(size));
    device.flush(); // rings take it that all before is durable when they go on
  }

  private Resizing growable(long size, long before) throws DiskException {
    if (size < before || size % DiskInfo.SECTOR != 0) {
      throw new DiskException(
          Errno.EINVAL, image() + " cannot grow from " + before + " to " + size + " bytes");
    }
    if (isReadOnly) {
      throw new DiskException(Errno.EINVAL, image() + " is read-only, and does not grow");
    }
    if (secondary.map(Secondary::isStandby).orElse(false)) {
      throw new DiskException(Errno.EINVAL, image() + " has a standby image, and does not grow");
    }
    return images
        .get(0)
        .device()
        .feature(Resizing.class)
        .orElseThrow(() -> new DiskException(Errno.ENOSYS, image() + " cannot change its size"));
  }

  /** Flushes and closes all of it, whatever fails; the log last, which says so. */
  @Override
  public void close() throws IOException {
    FirstFailure failure = new FirstFailure();
    closeImages(secondary, images, failure);
    if (log.isPresent()) {
      boolean isClean = failure.isNone();
      failure.run(() -> log.get().close(isClean));
    }
    failure.check();
  }

  /** Those above before those below. */
  private static void closeImages(
      Optional<Secondary> secondary, List<OpenImage> images, FirstFailure failure) {
    if (secondary.isPresent()) {
      failure.run(secondary.get()::close);
    }
    for (OpenImage image : images) {
      failure.run(image::close);
    }
  }
}
