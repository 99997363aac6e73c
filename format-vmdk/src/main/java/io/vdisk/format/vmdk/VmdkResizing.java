package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import java.io.IOException;

/**
 * Makes the last extent longer or shorter, if that is flat. A sparse extent has tables for as much
 * as it was made for, and keeps its size.
 *
 * <p>At every instant the file has all that the descriptor says: it is longer, durably, before the
 * descriptor says so, and shorter after that. The descriptor changes as a whole or not at all (see
 * {@link DescriptorChange}). Zeroes that an attempt left behind the extent are taken by the next.
 */
final class VmdkResizing {
  private final VmdkImage image;
  private final PlacedExtent last;

  VmdkResizing(VmdkImage image) {
    this.image = image;
    this.last = last(image);
  }

  private static PlacedExtent last(VmdkImage image) {
    return image.extents().get(image.extents().size() - 1);
  }

  /** Whether the last extent can have another size. */
  static boolean isPossible(VmdkImage image) {
    return image.descriptor().isPresent()
        && last(image).extent() instanceof FlatExtent flat
        && flat.isWritable();
  }

  void resize(long virtualSize) throws IOException {
    FlatExtent extent = (FlatExtent) last.extent();
    long bytes = virtualSize - last.start();
    String name = image.file().name();
    if (bytes == extent.size()) {
      return;
    }
    if (virtualSize % SparseHeader.SECTOR != 0
        || virtualSize > SparseHeader.MAX_SECTORS * SparseHeader.SECTOR) {
      throw new UnsupportedImageException(name + ": no VMDK has " + virtualSize + " bytes");
    }
    if (bytes <= 0) {
      throw new UnsupportedImageException(
          name + ": its last extent begins at " + last.start() + " and cannot vanish");
    }
    Descriptor text = image.descriptor().orElseThrow();
    boolean isSplit =
        text.createType().flatMap(Subformat::of).filter(Subformat::isSplit).isPresent();
    if (isSplit && bytes > Math.max(VmdkCreator.MAX_EXTENT, extent.size())) {
      throw new UnsupportedImageException(
          name + ": its last extent would have " + bytes + " bytes, more than 2 GB");
    }
    if (!extent.isAtEnd()) {
      throw new UnsupportedImageException(
          name + ": bytes of something else follow its last extent");
    }
    boolean isNew = image.markChanged();
    Descriptor changed =
        image.descriptor().orElseThrow().withLastExtent(bytes / SparseHeader.SECTOR);
    if (bytes > extent.size()) {
      extent.resizeFile(bytes);
      image.write(changed);
    } else {
      image.write(changed);
      extent.resizeFile(bytes);
    }
    assert isNew || image.isChanged();
    extent.setSize(bytes);
  }
}
