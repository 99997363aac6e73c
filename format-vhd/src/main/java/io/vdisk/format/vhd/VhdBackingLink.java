package io.vdisk.format.vhd;

import io.vdisk.Reference;
import io.vdisk.ReferencePolicy;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Another parent, or none. The parent's id belongs to what is recorded: so the file must be there,
 * and the policy must allow it. A disk that loses its parent becomes a dynamic one: what its blocks
 * do not hold is zeroed there first, because QEMU looks at no bitmap.
 */
final class VhdBackingLink {
  private final Structures structures;
  private final ReferencePolicy policy;
  private final HostFile file;

  VhdBackingLink(Structures structures, ReferencePolicy policy) {
    this.structures = structures;
    this.policy = policy;
    this.file = structures.file();
  }

  void change(Optional<String> name, Optional<String> format) throws IOException {
    if (name.isEmpty()) {
      standAlone();
      return;
    }
    ParentRecord parent = lookAt(name.get(), format);
    DynamicDiskHeader header = parent.applyTo(structures.header(), 0);
    HardDiskFooter footer = structures.footer().withType(DiskType.DIFFERENCING);
    new MetadataRewrite(structures).write(header, parent.names(), footer);
  }

  private ParentRecord lookAt(String name, Optional<String> format) throws IOException {
    String said = format.orElse("");
    if (said.equals("raw")) {
      return ParentRecord.ofRaw(name);
    }
    boolean isVhd = said.equals(VhdFormat.NAME) || said.equals("vpc");
    if (!said.isEmpty() && !isVhd) {
      throw new UnsupportedImageException(
          file.name() + ": the parent of a VHD is a VHD or a raw disk, not " + said);
    }
    Reference reference = new Reference(Reference.Kind.BACKING, name, format, file, false);
    try (HostFile parent = policy.open(reference)) {
      if (!isVhd && Footers.find(parent).isEmpty()) {
        return ParentRecord.ofRaw(name);
      }
      Footers footers = Footers.read(parent, Footers.Reading.STRICT);
      long time = ModificationTime.of(parent).orElse(0L);
      return new ParentRecord(footers.used().id(), time, name);
    }
  }

  private void standAlone() throws IOException {
    if (!structures.isDifferencing()) {
      return;
    }
    new ClearSectors(structures).zero();
    DynamicDiskHeader header = structures.header().withParent(UniqueId.NONE, 0, "", List.of());
    HardDiskFooter footer = structures.footer().withType(DiskType.DYNAMIC);
    new MetadataRewrite(structures).write(header, ByteBuffer.allocate(0), footer);
  }
}
