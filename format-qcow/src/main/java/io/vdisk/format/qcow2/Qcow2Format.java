package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Measurement;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
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
    Qcow2Header header = Qcow2Header.read(file, context.limits());
    if (context.writable() && !context.options().isForRepair()) {
      checkWritable(header, file.name());
    }
    Optional<Reference> named = reference(header, file);
    Optional<BlockDevice> backing = context.backing(named);
    boolean hasBacking = backing.isPresent() || named.isPresent();
    HostFile dataFile = header.hasDataFile() ? dataFile(header, file, context) : file;
    ClusterCodec codec = ClusterCodec.of(header.compressionType, file.name());
    try (Encryption encryption = Encryption.of(header, file, context)) {
      Metadata metadata =
          new Metadata(
              file, dataFile, header, context.limits(), context.cacheBudget(), context.writable());
      HeaderMarks marks = new HeaderMarks(metadata, context.options().isForRepair());
      Qcow2Description description = new Qcow2Description(file, encryption);
      Qcow2Features features = new Qcow2Features(metadata, marks, encryption, context, backing);
      Qcow2Layout layout =
          new Qcow2Layout(metadata, hasBacking, encryption, codec, marks, description, features);
      BlockDevice device = context.device(layout, backing);
      encryption.keep();
      return device;
    }
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
    return context.file(
        new Reference(
            Reference.Kind.DATA_FILE, name, Optional.of("raw"), file, context.writable()));
  }

  private static void checkWritable(Qcow2Header header, String name)
      throws UnsupportedImageException {
    if (header.has(Feature.CORRUPT)) {
      throw new UnsupportedImageException(
          name + ": marked corrupt, so it can only be opened for reading until it is repaired");
    }
    if (header.has(Feature.DIRTY)) {
      throw new UnsupportedImageException(
          name + ": marked dirty, so it can only be opened for reading until it is repaired");
    }
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
  public Measurement measure(Optional<BlockDevice> source, CreateOptions options)
      throws IOException {
    return Qcow2Measure.of(source, options);
  }
}
