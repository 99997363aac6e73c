package io.vdisk.format.vhdx;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Forgets all blocks and sector bitmaps of a differencing disk, piece by piece; the space at the
 * end of the file is given back. If the parent that the disk was opened over has another content
 * than the locator says, because it was just committed to, the locator learns that first: what the
 * disk shows then is what the caller has seen.
 */
final class VhdxEmptying {
  private final VhdxImage image;
  private final HostFile file;

  VhdxEmptying(VhdxImage image) {
    this.image = image;
    this.file = image.file();
  }

  void empty() throws IOException {
    image.beforeChange();
    Optional<Guid> parent = image.parentGuid();
    ParentLocator locator = image.structure().disk().parent().orElseThrow();
    if (parent.isPresent() && !locator.linkage().equals(parent.get())) {
      new VhdxBackingLink(image).write(locator.withLinkage(parent.get()));
    }
    MetadataUpdate update = new MetadataUpdate(image);
    ByteBuffer none = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long table = image.structure().bat().offset();
    BatGeometry geometry = BatGeometry.of(image.structure().disk());
    // Payload blocks before the bitmap that they need: its entry comes behind theirs.
    BatScan.scan(
        file,
        image.structure(),
        (number, entry) -> {
          assert number < geometry.entries(true);
          update.put(table + number * Long.BYTES, none.clear());
          update.writeIfLarge();
          return true;
        });
    update.write();
    image.giveBackEnd();
  }
}
