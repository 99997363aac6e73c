package io.vdisk.format.vhdx;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.ImageInfo;
import io.vdisk.Measurement;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * VHDX of Windows: fixed, dynamic and differencing. Source: [MS-VHDX], version 7. For the options
 * of creation see {@link VhdxCreator}.
 */
public final class VhdxFormat implements ImageFormat {
  static final String NAME = "vhdx";

  /** For the service loader. */
  public VhdxFormat() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    return FileIdentifier.isThere(file) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    if (!FileIdentifier.isThere(file)) {
      throw new CorruptImageException(file.name() + ": does not begin as a VHDX file does");
    }
    HeaderPair headers = HeaderPair.read(file);
    LogReplay replay = replay(file, headers, context);
    HostFile view = replay.view();
    VhdxStructure structure = VhdxStructure.read(view, headers.current(), context.limits());
    checkGrowth(file, replay, structure);
    Optional<BlockDevice> backing = backing(file, structure.disk(), context);
    HostFile open = file;
    if (!replay.isEmpty()) {
      if (context.writable()) {
        replay(headers, replay);
      } else {
        open = view;
      }
    }
    VhdxImage image = new VhdxImage(open, headers, structure, context, backing);
    return context.device(new VhdxLayout(image, backing.isPresent()), backing);
  }

  /** To be repaired an image is opened without its log, if that is no log. */
  private static LogReplay replay(HostFile file, HeaderPair headers, OpenContext context)
      throws IOException {
    try {
      return new LogReplay(file, headers.current());
    } catch (CorruptImageException e) {
      if (!context.options().isForRepair()) {
        throw e;
      }
      headers.setBrokenLog(String.valueOf(e.getMessage()));
      return LogReplay.none(file);
    }
  }

  /** The file changes its identity first; then the log is applied, then forgotten. */
  private static void replay(HeaderPair headers, LogReplay replay) throws IOException {
    headers.updateBoth(headers.current().withFileWriteGuid(Guid.random()));
    replay.apply();
    headers.updateBoth(headers.current().withLogGuid(Guid.NIL));
  }

  /** A log cannot make a file much larger than its disk. */
  private static void checkGrowth(HostFile file, LogReplay replay, VhdxStructure structure)
      throws IOException {
    BatGeometry geometry = BatGeometry.of(structure.disk());
    long most =
        file.size()
            + structure.ranges().end()
            + (geometry.blocks() << geometry.blockBits())
            + (geometry.chunks() << 20);
    if (replay.fileSize() > most) {
      throw new CorruptImageException(
          file.name() + ": the log wants a file of " + replay.fileSize() + " bytes");
    }
  }

  /**
   * The parent, which must be the one that the locator means, unless the caller brings his own.
   * Where it has several names, the first that there is.
   */
  private static Optional<BlockDevice> backing(
      HostFile file, DiskParameters disk, OpenContext context) throws IOException {
    if (disk.parent().isEmpty()) {
      return context.backing(Optional.empty());
    }
    ParentLocator locator = disk.parent().get();
    NoSuchFileException missing = null;
    for (String name : locator.names()) {
      Reference named = VhdxDescription.parent(name, file);
      try {
        Optional<BlockDevice> device = context.backing(Optional.of(named));
        boolean isOthers =
            context.options().backing().isPresent() || context.options().isWithoutBacking();
        if (device.isPresent() && !isOthers) {
          checkParent(file, disk, locator, named, device.get().info());
        }
        return device;
      } catch (NoSuchFileException e) {
        missing = missing == null ? e : missing;
      }
    }
    throw Objects.requireNonNull(missing);
  }

  private static void checkParent(
      HostFile file, DiskParameters disk, ParentLocator locator, Reference named, ImageInfo parent)
      throws IOException {
    Object guid = parent.details().get(VhdxDescription.DATA_WRITE_GUID);
    if (!parent.format().equals(NAME) || guid == null) {
      throw new UnsupportedImageException(
          file.name() + ": its parent " + named.name() + " is no VHDX file: " + parent.format());
    }
    if (!locator.accepts(Guid.of(guid.toString()))) {
      throw new CorruptImageException(
          file.name()
              + ": its parent "
              + named.name()
              + " has changed, or is another file: its data have GUID "
              + guid
              + ", the locator wants "
              + locator.linkage()
              + "; OpenOptions.withBacking(...) takes it as it is, and a changed backing link"
              + " (vdisk rebase -u) accepts it");
    }
    if (!Integer.valueOf(disk.logicalSector())
        .equals(parent.details().get(VhdxDescription.LOGICAL_SECTOR))) {
      throw new CorruptImageException(
          file.name() + ": its parent " + named.name() + " has other logical sectors");
    }
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    VhdxCreator.create(file, options, context);
  }

  @Override
  public List<FormatOption> creationOptions() {
    return VhdxOption.creation();
  }

  @Override
  public List<FormatOption> amendableOptions() {
    return FormatOption.COMMON;
  }

  @Override
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    return VhdxMeasure.of(source, options);
  }
}
