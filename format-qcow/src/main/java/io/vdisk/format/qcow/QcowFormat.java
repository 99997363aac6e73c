package io.vdisk.format.qcow;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.FormatOption;
import io.vdisk.Progress;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import io.vdisk.spi.SectorCipher;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/** qcow version 1, of QEMU and of Xen. For the options of creation see {@link QcowCreator}. */
public final class QcowFormat implements ImageFormat {
  static final String NAME = "qcow";

  /** For the service loader. */
  public QcowFormat() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Probe probe(HostFile file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(8);
    file.readPadded(start, 0);
    return QcowHeader.isRecognised(start) ? Probe.MAGIC : Probe.NO;
  }

  @Override
  public BlockDevice open(HostFile file, OpenContext context) throws IOException {
    QcowHeader header = QcowHeader.read(file, context.limits());
    Optional<XenExtension> extension = XenExtension.read(file, header);
    L1Order l1 =
        extension.isPresent() ? L1Order.of(file, header) : new L1Order(ByteOrder.BIG_ENDIAN, false);
    Optional<Reference> named =
        header
            .readBackingName(file)
            .map(
                name -> new Reference(Reference.Kind.BACKING, name, Optional.empty(), file, false));
    Optional<BlockDevice> backing = context.backing(named);
    long end = end(file, header, l1, context.writable());
    Optional<SectorCipher> cipher =
        header.isEncrypted() ? Optional.of(cipher(file, context)) : Optional.empty();
    QcowLayout layout =
        new QcowLayout(
            file,
            header,
            extension,
            l1.order(),
            end,
            cipher,
            named,
            backing.isPresent(),
            context.cacheBudget());
    return context.device(layout, backing);
  }

  /** Who only looks at metadata needs no passphrase. */
  private static SectorCipher cipher(HostFile file, OpenContext context) throws IOException {
    return context.options().isWithoutBacking() && !context.writable()
        ? LegacyAes.locked(file.name())
        : LegacyAes.unlock(context.secrets(), file.name());
  }

  /** Where new space may begin. */
  private static long end(HostFile file, QcowHeader header, L1Order l1, boolean writable)
      throws IOException {
    if (l1.isEmpty()) {
      // Xen may have reserved space for it; and a device is longer than what is used.
      return header.l1TableOffset() + header.l1Bytes();
    }
    long size = file.size();
    // Where the file is a device its size says nothing: only the tables tell.
    return writable && size >= file.capacity()
        ? new QcowChecker(file, header, l1.order()).check(Progress.NONE).endOffset()
        : size;
  }

  @Override
  public void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    QcowCreator.create(file, options, context);
  }

  @Override
  public List<FormatOption> creationOptions() {
    return QcowOption.creation();
  }
}
