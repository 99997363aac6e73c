package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.spi.OpenContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One open image: its descriptor, if it has one, and its extents. */
final class VmdkImage {
  private final HostFile file;
  private final OpenContext context;
  private final Optional<DescriptorPlace> place;
  private final Optional<BlockDevice> backing;
  private final GrainCodec codec;
  private final ExtentTables tables;
  private final List<PlacedExtent> extents;
  private final ReentrantLock marking = new ReentrantLock();
  private volatile @Nullable Descriptor descriptor;
  private volatile boolean isChanged;

  private VmdkImage(
      HostFile file,
      OpenContext context,
      Optional<DescriptorPlace> place,
      @Nullable Descriptor descriptor,
      Optional<BlockDevice> backing,
      GrainCodec codec,
      ExtentTables tables,
      List<PlacedExtent> extents) {
    this.file = file;
    this.context = context;
    this.place = place;
    this.descriptor = descriptor;
    this.backing = backing;
    this.codec = codec;
    this.tables = tables;
    this.extents = extents;
  }

  /** Opens an image, its extents and what lies below it. */
  static VmdkImage open(HostFile file, OpenContext context) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(SparseHeader.SECTOR);
    file.readPadded(first, 0);
    first.flip();
    Optional<DescriptorPlace> place = place(file, first);
    Descriptor descriptor = place.isPresent() ? place.get().read() : null;
    Optional<Reference> parent = parent(descriptor, file);
    boolean hasBacking = parent.isPresent() || context.options().backing().isPresent();
    List<HostFile> files = new ArrayList<>();
    ExtentTables tables = ExtentTables.of(context.cacheBudget(), files, hasBacking);
    GrainCodec codec = new GrainCodec();
    boolean isOpen = false;
    try {
      ExtentOpener opener = new ExtentOpener(file, context, tables, codec, files);
      boolean isItself = place.isEmpty() || place.get().room() > 0;
      List<PlacedExtent> extents =
          descriptor == null || isItself ? opener.openItself(first) : opener.open(descriptor);
      Optional<BlockDevice> backing = context.backing(parent);
      VmdkImage image =
          new VmdkImage(file, context, place, descriptor, backing, codec, tables, extents);
      image.checkParent();
      isOpen = true;
      return image;
    } finally {
      if (!isOpen) {
        codec.close();
      }
    }
  }

  /** The descriptor of an image that is not opened otherwise; empty if it has none. */
  static Optional<Descriptor> descriptorOf(HostFile file) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(SparseHeader.SECTOR);
    file.readPadded(first, 0);
    Optional<DescriptorPlace> place = place(file, first.flip());
    return place.isPresent() ? Optional.of(place.get().read()) : Optional.empty();
  }

  /** Where the descriptor is; empty where an extent was opened that has none. */
  private static Optional<DescriptorPlace> place(HostFile file, ByteBuffer first)
      throws IOException {
    if (SparseHeader.isThere(first)) {
      SparseHeader header = SparseHeader.decode(first, file);
      if (header.descriptorOffset() == 0) {
        return Optional.empty();
      }
      DescriptorPlace place = DescriptorPlace.in(file, header);
      ByteBuffer beginning = ByteBuffer.allocate(1);
      file.readPadded(beginning, place.offset());
      return beginning.get(0) == 0 ? Optional.empty() : Optional.of(place);
    }
    if (CowdHeader.isThere(first) || SeSparseHeader.isThere(first)) {
      return Optional.empty();
    }
    return Optional.of(DescriptorPlace.ofFile(file));
  }

  private static Optional<Reference> parent(@Nullable Descriptor descriptor, HostFile file)
      throws IOException {
    if (descriptor == null || !descriptor.hasParent()) {
      return Optional.empty();
    }
    String name =
        descriptor
            .parentHint()
            .orElseThrow(
                () ->
                    new CorruptImageException(
                        file.name() + ": parentCID is set, and parentFileNameHint is missing"));
    return Optional.of(
        new Reference(Reference.Kind.BACKING, name, Optional.of(VmdkFormat.NAME), file, false));
  }

  /** The parent must be as it was when the child was made; a device of the caller's is his word. */
  private void checkParent() throws IOException {
    Optional<Long> cid = parentCid();
    Descriptor text = descriptor;
    boolean isAsked =
        context.options().backing().isEmpty()
            && !context.options().isWithoutBacking()
            && !context.options().isForRepair();
    if (isAsked && text != null && cid.isPresent() && cid.get() != text.parentCid()) {
      throw new CorruptImageException(
          String.format(
              "%s: parentCID is %s, but its parent '%s' has the CID %s: that was changed since",
              file.name(),
              Descriptor.hex(text.parentCid()),
              text.parentHint().orElse(""),
              Descriptor.hex(cid.get())));
    }
  }

  /** The CID that the parent has now; empty without one, or where it says none. */
  Optional<Long> parentCid() {
    return backing.flatMap(device -> VmdkDescription.cid(device.info()));
  }

  HostFile file() {
    return file;
  }

  OpenContext context() {
    return context;
  }

  Optional<BlockDevice> backing() {
    return backing;
  }

  ExtentTables tables() {
    return tables;
  }

  List<PlacedExtent> extents() {
    return extents;
  }

  Optional<Descriptor> descriptor() {
    return Optional.ofNullable(descriptor);
  }

  /** What the image names as its parent. */
  Optional<Reference> parent() throws IOException {
    return parent(descriptor, file);
  }

  long size() {
    return extents.get(extents.size() - 1).end();
  }

  boolean isWritable() {
    return context.writable();
  }

  /** Whether {@link #markChanged} has done its work. */
  boolean isChanged() {
    return isChanged;
  }

  /**
   * Gives the disk another CID, durably: its content is about to change. Whether that was not done
   * before.
   */
  boolean markChanged() throws IOException {
    marking.lock();
    try {
      if (isChanged) {
        return false;
      }
      Descriptor text = descriptor;
      if (text != null) {
        write(text.withCid(anotherCid(text.cid())));
      }
      isChanged = true;
      return true;
    } finally {
      marking.unlock();
    }
  }

  /** A CID like none before; neither that of no parent nor the one that VMware begins with. */
  private static long anotherCid(long old) {
    long cid = ThreadLocalRandom.current().nextLong(1, Descriptor.NO_PARENT - 1);
    return cid == old ? cid ^ 1 : cid;
  }

  /** Replaces the descriptor, durably. */
  void write(Descriptor text) throws IOException {
    DescriptorPlace where = place.orElseThrow();
    Descriptor old = descriptor;
    if (old == null) {
      throw new IllegalStateException(file.name() + " has no descriptor");
    }
    try {
      descriptor = where.replace(old, text);
    } catch (IOException e) {
      readAgain(where, e);
      throw e;
    }
  }

  /** A change that failed may have come to any of its steps: the file knows. */
  private void readAgain(DescriptorPlace where, IOException failure) {
    try {
      descriptor = where.read();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Reads again what is kept of the files. All is forgotten before anything is read: if that fails,
   * space that was free before may have been taken since.
   */
  void reload() throws IOException {
    tables.cache().abandon();
    for (PlacedExtent placed : extents) {
      placed.extent().forget();
    }
    if (place.isPresent()) {
      descriptor = place.get().read();
    }
    for (PlacedExtent placed : extents) {
      placed.extent().reload();
    }
  }

  void close() throws IOException {
    codec.close();
    tables.cache().abandon();
  }
}
