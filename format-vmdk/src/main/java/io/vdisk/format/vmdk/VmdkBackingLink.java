package io.vdisk.format.vmdk;

import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.Optional;

/**
 * Another parent, or none: two entries of the descriptor, which change together or not at all (see
 * {@link DescriptorChange}).
 */
final class VmdkBackingLink {
  private final VmdkImage image;
  private final HostFile file;

  VmdkBackingLink(VmdkImage image) {
    this.image = image;
    this.file = image.file();
  }

  void change(Optional<String> name, Optional<String> format) throws IOException {
    Descriptor text = image.descriptor().orElseThrow();
    if (name.isEmpty()) {
      image.write(text.withoutParent());
      return;
    }
    if (format.isPresent() && !format.get().equals(VmdkFormat.NAME)) {
      throw new UnsupportedImageException(
          file.name() + ": a VMDK lies over VMDK images alone, not over " + format.get());
    }
    if (!text.canSpell(name.get())) {
      throw new UnsupportedImageException(
          file.name() + ": a descriptor cannot spell the name '" + name.get() + "'");
    }
    image.write(text.withParent(cid(name.get()), name.get()));
  }

  /** The parent's CID: the policy gives the file. */
  private long cid(String name) throws IOException {
    Reference reference =
        new Reference(Reference.Kind.BACKING, name, Optional.of(VmdkFormat.NAME), file, false);
    try (HostFile parent = image.context().options().references().open(reference)) {
      if (parent.key().equals(file.key())) {
        throw new UnsupportedImageException(file.name() + ": it cannot be its own parent");
      }
      return VmdkImage.descriptorOf(parent)
          .orElseThrow(
              () ->
                  new UnsupportedImageException(
                      file.name() + ": " + name + " has no descriptor, and so no CID"))
          .cid();
    }
  }
}
