package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.BackingLink;
import java.io.IOException;
import java.util.Optional;

/** Another name of the backing file in the header. */
final class Qcow2BackingLink implements BackingLink {
  private final Alterations alterations;

  Qcow2BackingLink(Alterations alterations) {
    this.alterations = alterations;
  }

  @Override
  public void change(Optional<String> name, Optional<String> format) throws IOException {
    alterations.alter(
        () -> {
          Metadata metadata = alterations.metadata;
          if (name.isPresent() && metadata.header().isDataFileRaw()) {
            throw new UnsupportedImageException(
                metadata.file.name() + ": its data file is a raw disk, which has no backing file");
          }
          new HeaderUpdate(metadata.file, metadata.header()).backing(name, format).write();
        });
  }
}
