package io.vdisk.format.vmdk;

import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes an image without a grain: first the files of its extents, then the descriptor, without
 * which nobody takes them for a disk. Used once.
 */
final class VmdkCreator {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** What VMware cuts split disks into: a little less than 2 GiB. */
  static final long MAX_EXTENT = 2047L << 20;

  private final HostFile file;
  private final CreateOptions options;
  private final CreateContext context;
  private final VmdkOptions said;

  VmdkCreator(HostFile file, CreateOptions options, CreateContext context) {
    this.file = file;
    this.options = options;
    this.context = context;
    this.said = new VmdkOptions(options);
  }

  /** Makes the image in an empty file, or over what a block device held. */
  void create() throws IOException {
    if (said.subformat == Subformat.STREAM_OPTIMIZED) {
      throw new UnsupportedImageException(
          file.name() + ": a stream-optimized image is made by conversion alone");
    }
    Optional<ImageInfo> parent = lookAtParent();
    long wanted =
        options
            .virtualSize()
            .or(() -> parent.map(ImageInfo::virtualSize))
            .orElseThrow(() -> new IllegalArgumentException("a VMDK needs a size"));
    long size = said.size(wanted, file.name());
    context.limits().checkVirtualSize(size, file.name());
    if (said.subformat.isEmbedded()) {
      createEmbedded(size, parent);
    } else {
      createSeparate(size, parent);
    }
  }

  private Optional<ImageInfo> lookAtParent() throws IOException {
    if (options.backingName().isEmpty()) {
      return Optional.empty();
    }
    String name = options.backingName().get();
    checkName(name);
    String format = options.backingFormat().orElse(VmdkFormat.NAME);
    if (!format.equals(VmdkFormat.NAME)) {
      throw onlyOverVmdk(format);
    }
    if (options.isWithoutOpeningBacking()) {
      return Optional.empty();
    }
    ImageInfo info =
        context.backingInfo(
            new Reference(Reference.Kind.BACKING, name, Optional.of(VmdkFormat.NAME), file, false));
    if (VmdkDescription.cid(info).isEmpty()) {
      throw onlyOverVmdk(info.format() + " without a CID");
    }
    return Optional.of(info);
  }

  private UnsupportedImageException onlyOverVmdk(String other) {
    return new UnsupportedImageException(
        file.name() + ": a VMDK lies over VMDK images alone, not over " + other);
  }

  private void checkName(String name) throws UnsupportedImageException {
    if (name.chars().anyMatch(c -> c < ' ' || c == '"')) {
      throw new UnsupportedImageException(
          file.name() + ": a descriptor cannot spell the name '" + name + "'");
    }
  }

  private void createEmbedded(long size, Optional<ImageInfo> parent) throws IOException {
    byte[] text = descriptor(size, parent, List.of(line(size, ownName()))).bytes();
    SparseCreator creator =
        new SparseCreator(
            size,
            said.grainSize,
            said.hasZeroedGrains,
            SparseCreator.descriptorSectors(text.length));
    context.limits().checkTable("grain directory", creator.directoryBytes(), file.name());
    checkRoom(creator.bytes(), file);
    creator.write(file, Optional.of(text), options.isDurable());
  }

  private void checkRoom(long bytes, HostFile in) throws IOException {
    if (bytes > in.capacity() || bytes > GrainGeometry.MAX_FILE) {
      throw new UnsupportedImageException(
          in.name()
              + ": the tables of such a disk need "
              + bytes
              + " bytes, which it has no room for");
    }
  }

  private void createSeparate(long size, Optional<ImageInfo> parent) throws IOException {
    List<ExtentLine> lines = new ArrayList<>();
    long most = said.subformat.isSplit() ? MAX_EXTENT : Long.MAX_VALUE;
    if ((size - 1) / most >= Descriptor.MAX_EXTENTS) {
      throw new UnsupportedImageException(
          file.name() + ": more than " + Descriptor.MAX_EXTENTS + " extents are not opened");
    }
    String base = ownName().replaceFirst("(?i)\\.vmdk$", "");
    for (long done = 0; done < size; ) {
      long bytes = Math.min(most, size - done);
      String name = base + said.subformat.suffix(lines.size() + 1) + ".vmdk";
      lines.add(line(bytes, name));
      done += bytes;
    }
    byte[] text = descriptor(size, parent, lines).bytes();
    if (text.length > Descriptor.MAX_BYTES) {
      throw new UnsupportedImageException(file.name() + ": its descriptor would be too long");
    }
    for (ExtentLine line : lines) {
      HostFile extent =
          context.file(
              new Reference(Reference.Kind.EXTENT, line.name(), Optional.empty(), file, true));
      createExtent(extent, line.sectors() * SECTOR);
      if (options.isDurable()) {
        extent.flush();
      }
    }
    file.write(ByteBuffer.wrap(text), 0);
    if (file.size() > text.length) {
      file.resize(text.length);
    }
  }

  private void createExtent(HostFile extent, long bytes) throws IOException {
    switch (said.subformat.extents()) {
      case SPARSE -> {
        SparseCreator creator = new SparseCreator(bytes, said.grainSize, said.hasZeroedGrains, 0);
        checkRoom(creator.bytes(), extent);
        creator.write(extent, Optional.empty(), options.isDurable());
      }
      case VMFSSPARSE -> createCowd(extent, bytes);
      default -> createFlat(extent, bytes);
    }
  }

  private void createFlat(HostFile extent, long bytes) throws IOException {
    extent.resize(bytes);
    boolean isFull = said.preallocation.equals("full");
    if (isFull || (said.preallocation.equals("falloc") && !extent.allocate(0, bytes))) {
      SparseCreator.zero(extent, 0, bytes);
    }
  }

  private void createCowd(HostFile extent, long bytes) throws IOException {
    long span = said.grainSize * CowdHeader.TABLE_ENTRIES;
    long entries = (bytes + span - 1) / span;
    long directory = CowdHeader.STRUCT.size() / SECTOR;
    long free = directory + (entries * Integer.BYTES + SECTOR - 1) / SECTOR;
    context.limits().checkTable("grain directory", entries * Integer.BYTES, extent.name());
    extent.resize(free * SECTOR);
    if (options.isDurable()) {
      extent.flush();
    }
    CowdHeader header =
        new CowdHeader(bytes / SECTOR, said.grainSize / SECTOR, directory, entries, free, false);
    extent.write(header.encode(), 0);
  }

  private ExtentLine line(long bytes, String name) {
    return new ExtentLine(ExtentAccess.RW, bytes / SECTOR, said.subformat.extents(), name, 0);
  }

  /** The name of the image without its folder. */
  private String ownName() throws IOException {
    if (options.fileName().isPresent()) {
      checkName(options.fileName().get());
      return options.fileName().get();
    }
    Path name = file.path().map(Path::getFileName).orElse(null);
    String text = name == null ? file.name() : name.toString();
    checkName(text);
    return text;
  }

  private Descriptor descriptor(long size, Optional<ImageInfo> parent, List<ExtentLine> extents) {
    Descriptor text = descriptor(said, size, extents, file.name());
    return options.backingName().isEmpty()
        ? text
        : text.withParent(
            parent.flatMap(VmdkDescription::cid).orElse(Descriptor.UNKNOWN_CID),
            options.backingName().get());
  }

  /** The text of a new image without a parent. */
  static Descriptor descriptor(
      VmdkOptions said, long size, List<ExtentLine> extents, String where) {
    List<String> lines = new ArrayList<>();
    lines.add(Descriptor.FIRST_LINE);
    lines.add("version=1");
    lines.add("CID=" + Descriptor.hex(said.cid));
    lines.add("parentCID=" + Descriptor.hex(Descriptor.NO_PARENT));
    lines.add("createType=\"" + said.subformat.word() + "\"");
    lines.add("");
    lines.add("# Extent description");
    for (ExtentLine extent : extents) {
      lines.add(extent.text());
    }
    lines.add("");
    lines.add("# The Disk Data Base");
    lines.add("#DDB");
    lines.add("");
    lines.add("ddb.virtualHWVersion = \"" + said.hwVersion + "\"");
    lines.add("ddb.geometry.cylinders = \"" + said.cylinders(size) + "\"");
    lines.add("ddb.geometry.heads = \"" + said.heads() + "\"");
    lines.add("ddb.geometry.sectors = \"63\"");
    lines.add("ddb.adapterType = \"" + said.adapterType + "\"");
    lines.add("ddb.toolsVersion = \"" + said.toolsVersion + "\"");
    return Descriptor.encoded(lines, where);
  }
}
