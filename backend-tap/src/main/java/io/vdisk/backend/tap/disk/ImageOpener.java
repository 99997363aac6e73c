package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Capability;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Opens images by their drivers: exactly the format that the driver names. One thread for each
 * opening.
 */
final class ImageOpener {
  private final DiskPolicy policy;
  private final RamDisks rams;
  private final OpenRequest request;
  private final KeyFinder keys;

  ImageOpener(DiskPolicy policy, RamDisks rams, OpenRequest request) {
    this.policy = policy;
    this.rams = rams;
    this.request = request;
    this.keys = new KeyFinder(request.key());
  }

  /**
   * Opens a chain, the last image first; only the guest's may be written.
   *
   * @return the guest's image first; whoever gets them closes them in this order
   */
  List<OpenImage> chain(DiskChain chain) throws IOException {
    Deque<OpenImage> opened = new ArrayDeque<>();
    try {
      for (int i = chain.links().size() - 1; i >= 0; i--) {
        DiskChain.Link link = chain.links().get(i);
        boolean writable = i == 0 && !link.isReadOnly() && !request.isReadOnly();
        Optional<BlockDevice> below = Optional.ofNullable(opened.peek()).map(OpenImage::device);
        opened.push(image(link.image(), writable, below));
      }
      checkKey();
      return new ArrayList<>(opened);
    } catch (IOException | RuntimeException | Error e) {
      closeAll(opened, e);
      throw e;
    }
  }

  private void checkKey() throws DiskException {
    if (request.key().isPresent() && !keys.isUsed()) {
      throw new DiskException(
          Errno.EINVAL, request.name() + ": a key was given, and no image of it is encrypted");
    }
  }

  private static void closeAll(Deque<OpenImage> opened, Throwable reason) {
    for (OpenImage image : opened) {
      try {
        image.close();
      } catch (IOException e) {
        reason.addSuppressed(e);
      }
    }
  }

  /**
   * Opens one image.
   *
   * @param below what it reads from where it holds nothing itself; stays the caller's
   */
  OpenImage image(DiskDescriptor image, boolean writable, Optional<BlockDevice> below)
      throws IOException {
    BlockDevice device = device(image, writable, below);
    try {
      check(image, device, writable, below.isPresent());
      return new OpenImage(image, device);
    } catch (IOException | RuntimeException | Error e) {
      try (device) {
        throw e;
      }
    }
  }

  private static void check(
      DiskDescriptor image, BlockDevice device, boolean writable, boolean hasBelow)
      throws DiskException {
    if (hasBelow && !device.capabilities().contains(Capability.BACKING)) {
      throw new DiskException(
          Errno.EINVAL, image + " reads from no other image, so none can stand below it");
    }
    if (writable && !device.capabilities().contains(Capability.WRITE)) {
      throw new DiskException(Errno.EROFS, image + " can only be read");
    }
    if (device.size() < DiskInfo.SECTOR) {
      throw new DiskException(Errno.EINVAL, image + " has no sector of 512 bytes");
    }
  }

  private BlockDevice device(DiskDescriptor image, boolean writable, Optional<BlockDevice> below)
      throws IOException {
    if (image.type() == DiskType.RAM) {
      return rams.open(image, writable);
    }
    try {
      return Images.open(image.hostPath(), options(image.type(), writable, below));
    } catch (UncheckedIOException e) {
      throw e.getCause(); // of a key file
    }
  }

  private OpenOptions options(DiskType type, boolean writable, Optional<BlockDevice> below) {
    boolean isDirect = policy.isDirect() && !request.has(OpenFlag.NO_O_DIRECT);
    OpenOptions options =
        (writable ? OpenOptions.readWrite() : OpenOptions.readOnly())
            .withFormat(type.format().orElseThrow())
            .withReferences(policy.references())
            .withSecrets(keys)
            .withPageCache(isDirect ? PageCache.BYPASSED : PageCache.USED);
    if (request.has(OpenFlag.SHARED) && type.isRaw()) {
      options = options.withoutLock(); // its guests keep out of each other's way themselves
    }
    return below.map(options::withBacking).orElse(options);
  }
}
