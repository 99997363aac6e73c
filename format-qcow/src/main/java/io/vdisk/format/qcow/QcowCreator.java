package io.vdisk.format.qcow;

import io.vdisk.CreateOptions;
import io.vdisk.Reference;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.spi.CreateContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** Makes an image without a cluster. For its options see {@link QcowOption}. */
final class QcowCreator {
  private static final int DEFAULT_CLUSTER_BITS = 12;
  private static final int BACKED_CLUSTER_BITS = 9;

  /** An L2 table maps 2 MiB by default, in QEMU's and Xen's geometries alike. */
  private static final int TABLE_COVER_BITS = 21;

  private static final int SECTOR = 512;
  private static final int STEP = 1 << 20;

  private int clusterBits;
  private boolean xen;
  private boolean reserved;
  private boolean encrypted;

  private QcowCreator(Map<String, String> options, boolean backed) {
    clusterBits = backed ? BACKED_CLUSTER_BITS : DEFAULT_CLUSTER_BITS;
    options.forEach(this::set);
    if (reserved && !xen) {
      throw new IllegalArgumentException("preallocation=full needs xen=on");
    }
    if (encrypted && xen) {
      throw new IllegalArgumentException("encrypt.format=aes needs xen=off");
    }
  }

  /** Makes an image in an empty file, or over what a block device held. */
  static void create(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    Optional<byte[]> name =
        options.backingName().map(text -> text.getBytes(StandardCharsets.UTF_8));
    new QcowCreator(options.options(), name.isPresent())
        .write(file, size(file, options, context), name.orElse(new byte[0]), options, context);
  }

  /** QEMU and Xen look at whole sectors only, so that a part of one would be lost to them. */
  private static long size(HostFile file, CreateOptions options, CreateContext context)
      throws IOException {
    long size;
    if (options.virtualSize().isPresent()) {
      size = options.virtualSize().get();
    } else {
      String name =
          options
              .backingName()
              .orElseThrow(() -> new IllegalArgumentException("a qcow image needs a size"));
      Reference reference =
          new Reference(Reference.Kind.BACKING, name, options.backingFormat(), file, false);
      size = context.backingInfo(reference).virtualSize();
    }
    if (size < 1) {
      throw new IllegalArgumentException("a qcow image cannot be empty");
    }
    return Math.addExact(size, SECTOR - 1) & -SECTOR;
  }

  private void set(String option, String value) {
    switch (QcowOption.named(option)) {
      case CLUSTER_SIZE -> clusterBits = clusterBits(value);
      case XEN ->
          xen =
              switch (value) {
                case "on" -> true;
                case "off" -> false;
                default -> throw new IllegalArgumentException("xen is on or off");
              };
      case PREALLOCATION ->
          reserved =
              switch (value) {
                case "full" -> true;
                case "off" -> false;
                default -> throw new IllegalArgumentException("preallocation is off or full");
              };
      case ENCRYPTION -> {
        if (!value.equals(LegacyAes.NAME)) {
          throw new IllegalArgumentException("encrypt.format of qcow is aes");
        }
        encrypted = true;
      }
    }
  }

  private static int clusterBits(String value) {
    int bits = QcowHeader.MIN_CLUSTER_BITS;
    while (bits <= QcowHeader.MAX_CLUSTER_BITS) {
      if (value.equals(Integer.toString(1 << bits))) {
        return bits;
      }
      bits++;
    }
    throw new IllegalArgumentException("cluster_size is a power of two from 512 to 65536");
  }

  private void write(
      HostFile file, long size, byte[] name, CreateOptions options, CreateContext context)
      throws IOException {
    if (name.length > QcowHeader.MAX_BACKING_NAME) {
      throw new IllegalArgumentException(
          "the backing file's name has over " + QcowHeader.MAX_BACKING_NAME + " bytes");
    }
    int nameOffset = QcowHeader.STRUCT.size() + (xen ? XenExtension.STRUCT.size() : 0);
    QcowHeader header =
        new QcowHeader(
            name.length == 0 ? 0 : nameOffset,
            name.length,
            0,
            size,
            clusterBits,
            Math.max(clusterBits - 3, TABLE_COVER_BITS - clusterBits),
            encrypted ? LegacyAes.METHOD : 0,
            roundUp(nameOffset + name.length, XenExtension.L1_ALIGNMENT));
    header.validate(file.name(), context.limits());
    if (encrypted) {
      LegacyAes.unlock(context.secrets(), file.name()).close(); // an image that nobody can open
    }
    long end = roundUp(header.l1TableOffset() + header.l1Bytes(), XenExtension.L1_ALIGNMENT);
    if (file.size() == 0) {
      file.resize(end);
    } else {
      writeZeroes(file, 0, end);
    }
    if (reserved) {
      writeZeroes(file, end, Math.addExact(header.l1Entries() * SECTOR, size));
    }
    ByteBuffer start = ByteBuffer.allocate(nameOffset);
    header.encode(start);
    if (xen) {
      extension(header).encode(start);
    }
    if (name.length > 0) {
      file.write(ByteBuffer.wrap(name), nameOffset);
      if (options.isDurable()) {
        file.flush();
      }
    }
    file.write(start, 0);
  }

  /** As Xen's tools write it. */
  private XenExtension extension(QcowHeader header) {
    long extent = header.backingFileOffset() == 0 ? 1L << header.l2Bits() : 1;
    long flags = XenExtension.L1_BIG_ENDIAN | (reserved ? 0 : XenExtension.SPARSE);
    return new XenExtension(
        XenExtension.checksumOfZeroes(header.l1Bytes()), extent, Optional.of(flags));
  }

  private static void writeZeroes(HostFile file, long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, length));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      file.write(zeroes, offset + done);
    }
  }

  private static long roundUp(long value, int powerOfTwo) {
    return (value + powerOfTwo - 1) & -powerOfTwo;
  }
}
