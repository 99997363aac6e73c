package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.KeptWrites;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The images of a disk from open to close, pauses included, and what must be remembered over a
 * pause. Changed by one thread at a time, that of the disk; what is said to be so is read by any
 * thread.
 */
final class DiskSession {
  private final int minor;
  private final DiskPolicy policy;
  private final RamDisks rams;

  private volatile @Nullable OpenRequest request; // null: not open
  private volatile @Nullable OpenDisk disk; // null: not open, or paused
  private volatile boolean hasMirrorFailed; // of images that are closed now
  private boolean isStandbyInUse; // of images that are closed now
  private volatile DiskInfo info = DiskInfo.NONE;
  private @Nullable BlockDevice heldRam; // keeps it over a pause
  private Optional<KeptWrites> kept = Optional.empty(); // of the images that are open, or were

  DiskSession(int minor, DiskPolicy policy, RamDisks rams) {
    this.minor = minor;
    this.policy = policy;
    this.rams = rams;
  }

  DiskPolicy policy() {
    return policy;
  }

  /** Whether its images go through the host's page cache by choice. Any thread. */
  boolean isBuffered() {
    return request()
        .map(asked -> asked.has(OpenFlag.NO_O_DIRECT) || !policy.isDirect())
        .orElse(false);
  }

  /** What was asked last; empty: it is not open. Any thread. */
  Optional<OpenRequest> request() {
    return Optional.ofNullable(request);
  }

  /** The open images; empty: it is paused or not open. Any thread. */
  Optional<OpenDisk> disk() {
    return Optional.ofNullable(disk);
  }

  /** Whether a mirror failed that nobody has replaced since. Any thread. */
  boolean hasMirrorFailed() {
    return hasMirrorFailed || disk().map(OpenDisk::hasMirrorFailed).orElse(false);
  }

  /** What its guests know, or knew when it was open last. Any thread. */
  DiskInfo info() {
    return info;
  }

  /** Opens what was not open. */
  void open(OpenRequest asked) throws IOException {
    WrittenImages written = WrittenImages.of(asked);
    OpenDisk opened = OpenDisk.open(policy, rams, asked, false);
    writeAgain(opened, written);
    hasMirrorFailed = false;
    become(opened, asked);
  }

  /**
   * Before any guest is served: what was answered to one before a process was killed. The logs are
   * those of the images from then on.
   */
  private void writeAgain(OpenDisk opened, WrittenImages written) throws IOException {
    Optional<KeptWrites> left = policy.kept(written);
    try {
      if (left.isPresent() && !opened.keepsWrites()) {
        left.get().writeAgain(opened.device(), opened.isReadOnly(), written.changed());
      }
    } catch (IOException | RuntimeException | Error e) {
      FirstFailure closing = new FirstFailure();
      closing.run(opened::close);
      closing.suppressIn(e);
      throw e;
    }
    kept = opened.keepsWrites() ? Optional.empty() : left;
  }

  private void become(OpenDisk opened, OpenRequest asked) {
    disk = opened;
    request = asked;
    info = opened.info();
  }

  /** Makes durable what was written to the images. Harmless if there are none. */
  void flush() throws IOException {
    OpenDisk open = disk;
    if (open != null) {
      open.device().flush();
    }
  }

  /** Closes the images, to open them or others again. Again is harmless. */
  void suspend() throws IOException {
    OpenDisk open = disk;
    if (open == null) {
      return;
    }
    if (open.image().type() == DiskType.RAM) {
      heldRam = rams.open(open.image(), false);
    }
    isStandbyInUse = open.isStandbyInUse();
    closeImages(open);
  }

  private void closeImages(OpenDisk open) throws IOException {
    disk = null;
    try {
      open.close();
    } finally {
      hasMirrorFailed |= open.hasMirrorFailed();
    }
  }

  /** Opens the images again, or others; nothing changes if that fails. */
  void reopen(ResumeRequest asked) throws IOException {
    OpenRequest next = next(asked);
    WrittenImages written = WrittenImages.of(next);
    OpenDisk opened = OpenDisk.open(policy, rams, next, isStandbyInUse);
    if (!info().mayBecome(opened.info())) {
      try (opened) {
        throw trouble(
            Errno.EMEDIUMTYPE,
            String.format(
                "cannot go on from %s: that is %s, and its guests know %s",
                next.name(), opened.info(), info));
      }
    }
    writeAgain(opened, written); // others may have had it meanwhile
    hasMirrorFailed &= asked.secondary().isEmpty();
    become(opened, next);
    releaseRam();
  }

  /**
   * What to open. A mirror that failed missed something: it is none again until somebody says so. A
   * standby image in use shadows the image: another one below it would be another disk.
   */
  private OpenRequest next(ResumeRequest asked) throws DiskException {
    OpenRequest before = Objects.requireNonNull(request, "not open");
    OpenRequest next = asked.applyTo(before);
    boolean isSame =
        next.name().equals(before.name()) && next.secondary().equals(before.secondary());
    if (isStandbyInUse && !isSame) {
      throw trouble(
          Errno.EINVAL,
          String.format(
              "has written to its standby image %s, and cannot go on from other ones; close it and"
                  + " open those",
              before.secondary().orElse("")));
    }
    boolean isStale = hasMirrorFailed && asked.secondary().isEmpty();
    return isStale ? next.withSecondary(OpenRequest.NO_SECONDARY) : next;
  }

  /** Makes the disk larger, while no request is under way. */
  void grow(long sectors) throws IOException {
    OpenDisk open = Objects.requireNonNull(disk, "not running");
    if (sectors < 0 || sectors > Long.MAX_VALUE / DiskInfo.SECTOR) {
      throw trouble(Errno.EINVAL, "cannot have " + sectors + " sectors");
    }
    try {
      open.grow(sectors * DiskInfo.SECTOR);
    } finally {
      info = open.info();
    }
  }

  /** Closes all, whatever fails, and forgets all but whether a mirror failed. */
  void end(FirstFailure failure) {
    OpenDisk open = disk;
    if (open != null) {
      failure.run(() -> closeImages(open));
    }
    failure.run(this::releaseRam);
    request().flatMap(OpenRequest::key).ifPresent(DiskKey::close);
    request = null;
    isStandbyInUse = false;
  }

  /** How the files begin in which it is kept what guests write to the images. */
  Optional<Path> writeLogs() {
    return kept.map(KeptWrites::beginning);
  }

  /** While nobody else may open the images: makes all durable, and what is still kept goes. */
  void dropWriteLogs() throws IOException {
    if (disk != null && kept.isPresent()) {
      flush();
      kept.get().drop();
    }
  }

  private void releaseRam() throws IOException {
    BlockDevice held = heldRam;
    heldRam = null;
    if (held != null) {
      held.close();
    }
  }

  private DiskException trouble(Errno errno, String what) {
    return new DiskException(errno, "disk " + minor + " " + what);
  }
}
