package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Measurement;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * VHD: fixed, dynamic and differencing disks of Virtual PC, Hyper-V, QEMU and Xen. Source: Virtual
 * Hard Disk Image Format Specification 1.0, whose names are used here; of Xen's additions, its
 * blktap. For the options of creation see {@link VhdOptions}.
 *
 * <p>An image whose checksums are wrong is opened to be looked at or repaired alone.
 */
public final class VhdFormat implements ImageFormat {
  static final String NAME = "vhd";

  /** For the service loader. */
  public VhdFormat() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<String> aliases() {
    return List.of("vpc");
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    if (Footers.find(file).isPresent()) {
      return Probe.VERIFIED;
    }
    return Footers.hasCookie(file) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    boolean forRepair = context.options().isForRepair();
    boolean isOfTables = !context.writable() && context.options().isWithoutBacking();
    Footers.Reading reading =
        forRepair || isOfTables ? Footers.Reading.TO_REPAIR : Footers.Reading.STRICT;
    Footers footers = Footers.read(file, reading);
    if (context.writable() && !forRepair) {
      checkWritable(file, footers);
    }
    return footers.used().is(DiskType.FIXED)
        ? openFixed(file, footers, reading, context)
        : openSparse(file, footers, reading, context);
  }

  private static void checkWritable(HostFile file, Footers footers) throws IOException {
    boolean isMoving =
        footers.used().isPoisoned() && footers.copy().orElse(footers.used()).isPoisoned();
    if (isMoving) {
      throw new UnsupportedImageException(
          file.name()
              + ": Xen's tools were ended while they moved its metadata; it is not written before"
              + " their journal is replayed");
    }
  }

  private static BlockDevice openFixed(
      HostFile file, Footers footers, Footers.Reading reading, OpenContext context)
      throws IOException {
    refuseParent(file, context);
    long size = footers.used().virtualSize();
    context.limits().checkVirtualSize(size, file.name());
    if (size > footers.endOffset() || size % Structures.SECTOR != 0) {
      throw new CorruptImageException(
          String.format(
              "%s: a fixed disk of %d bytes does not fit before the footer at %d",
              file.name(), size, footers.endOffset()));
    }
    VhdDescription description = new VhdDescription(file);
    FixedLayout layout =
        new FixedLayout(file, footers, reading, description, VhdFeatures.ofFixed(context, reading));
    return context.device(layout, Optional.empty());
  }

  private static BlockDevice openSparse(
      HostFile file, Footers footers, Footers.Reading reading, OpenContext context)
      throws IOException {
    Structures structures = Structures.read(file, footers, reading, context.limits());
    Optional<BlockDevice> parent = Optional.empty();
    if (structures.isDifferencing()) {
      parent = ParentLink.of(structures).open(context);
    } else {
      refuseParent(file, context);
    }
    boolean isChanged = context.writable() && !context.options().isForRepair();
    VhdDescription description = new VhdDescription(file);
    try (DiskCipher cipher = DiskCipher.of(structures, context)) {
      SparseMetadata metadata =
          new SparseMetadata(
              structures, reading, isChanged, context.limits(), context.cacheBudget());
      SparseLayout layout =
          new SparseLayout(
              metadata,
              cipher.cipher(),
              description,
              VhdFeatures.ofSparse(context, reading, parent));
      BlockDevice device = context.device(layout, parent);
      cipher.keep();
      return device;
    }
  }

  /** A device that the caller gives would be read nowhere. */
  private static void refuseParent(HostFile file, OpenContext context) throws IOException {
    if (context.options().backing().isPresent()) {
      throw new UnsupportedImageException(
          file.name() + ": is no differencing disk, and reads from no other image");
    }
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    new VhdCreator(file, options, context).create();
  }

  @Override
  public List<FormatOption> creationOptions() {
    return VhdOption.creation();
  }

  @Override
  public List<FormatOption> amendableOptions() {
    List<FormatOption> all = new ArrayList<>(VhdAmending.OPTIONS);
    all.addAll(FormatOption.COMMON);
    return List.copyOf(all);
  }

  @Override
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    return VhdMeasure.of(source, options);
  }
}
