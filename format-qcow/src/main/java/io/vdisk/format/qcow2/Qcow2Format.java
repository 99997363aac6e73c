package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Measurement;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.CheckReport;
import io.vdisk.feature.Repairing;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.format.qcow2.Qcow2Header.Reading;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * qcow2, versions 2 and 3. Source: docs/interop/qcow2.txt of QEMU, which the names here follow.
 *
 * <p>An image whose corrupt bit is set is read, and written only to be repaired.
 */
public final class Qcow2Format implements ImageFormat {
  static final String NAME = "qcow2";

  /** For the service loader. */
  public Qcow2Format() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(8);
    if (file.read(start, 0) < start.capacity()) {
      return Probe.NO;
    }
    boolean isMagic = Qcow2Header.MAGIC.get(start, 0) == Qcow2Header.QFI;
    return isMagic && Qcow2Header.VERSION.get(start, 0) >= 2 ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    boolean forRepair = context.options().isForRepair();
    boolean isChanged = context.writable() && !forRepair;
    boolean isOfTables = !isChanged && (forRepair || context.options().isWithoutBacking());
    Reading reading = isOfTables ? Reading.TO_CHECK : Reading.STRICT;
    Qcow2Header header = Qcow2Header.read(file, context.limits(), reading);
    if (isChanged) {
      checkWritable(header, file.name());
      header = repaired(header, file, context);
    }
    if (!isOfTables) {
      checkTables(file, header);
    }
    Optional<Reference> named = reference(header, file);
    Optional<BlockDevice> backing = context.backing(named);
    boolean hasBacking = backing.isPresent() || named.isPresent();
    HostFile dataFile = header.hasDataFile() ? dataFile(header, file, context) : file;
    ClusterCodec codec = ClusterCodec.of(header.compressionType, file.name());
    try (Encryption encryption = Encryption.of(header, file, context)) {
      Metadata metadata =
          new Metadata(
              file, dataFile, header, context.limits(), context.cacheBudget(), isChanged, reading);
      HeaderMarks marks = new HeaderMarks(metadata, forRepair);
      Qcow2Description description = new Qcow2Description(file, encryption);
      Qcow2Features features = new Qcow2Features(metadata, marks, encryption, context, backing);
      Qcow2Layout layout =
          new Qcow2Layout(metadata, hasBacking, encryption, codec, marks, description, features);
      BlockDevice device = context.device(layout, backing);
      encryption.keep();
      return device;
    }
  }

  /**
   * Who wants the data is refused where what belongs to it cannot be; who looks at tables is not.
   */
  private static void checkTables(HostFile file, Qcow2Header header) throws IOException {
    if (header.snapshots > 0) {
      SnapshotTable unused = SnapshotTable.read(file, header);
    }
    BitmapDirectory unused = BitmapDirectory.read(file, header);
  }

  private static HostFile dataFile(Qcow2Header header, HostFile file, OpenContext context)
      throws IOException {
    String name =
        header
            .dataFileName()
            .orElseThrow(
                () ->
                    new UnsupportedImageException(
                        file.name() + ": has its data in another file, and does not name it"));
    Reference reference =
        new Reference(Reference.Kind.DATA_FILE, name, Optional.of("raw"), file, context.writable());
    boolean isAlone = context.options().isWithoutBacking() && !context.writable();
    return isAlone ? new AbsentDataFile(reference) : context.file(reference);
  }

  private static void checkWritable(Qcow2Header header, String name)
      throws UnsupportedImageException {
    if (header.has(Feature.CORRUPT)) {
      throw new UnsupportedImageException(
          name + ": marked corrupt, so it can only be opened for reading until it is repaired");
    }
  }

  /** An image that was not closed in order is mended before anything relies on its counts. */
  private static Qcow2Header repaired(Qcow2Header header, HostFile file, OpenContext context)
      throws IOException {
    if (!header.has(Feature.DIRTY)) {
      return header;
    }
    CheckReport report = new Repair(file, header, Repairing.Scope.ALL, Progress.NONE).repair();
    Qcow2Header mended = Qcow2Header.read(file, context.limits());
    if (mended.has(Feature.DIRTY)) {
      throw new CorruptImageException(
          file.name()
              + ": marked dirty, and has errors that cannot be mended: "
              + report.findings().get(0).message());
    }
    return mended;
  }

  /** The backing file that a header names. */
  static Optional<Reference> reference(Qcow2Header header, HostFile file) {
    return header.backingName.map(
        name -> new Reference(Reference.Kind.BACKING, name, header.backingFormat(), file, false));
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    try (Qcow2Creator creator = new Qcow2Creator(file, options, context)) {
      creator.create();
    }
  }

  @Override
  public List<FormatOption> creationOptions() {
    return Qcow2Option.creation();
  }

  @Override
  public List<FormatOption> amendableOptions() {
    return Qcow2Option.amendable();
  }

  @Override
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    return Qcow2Measure.of(source, options);
  }
}
