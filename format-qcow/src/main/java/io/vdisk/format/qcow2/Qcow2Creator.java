package io.vdisk.format.qcow2;

import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.format.qcow.crypt.NewLuks;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.NoSpaceException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Makes a qcow2 image. The header's magic number is written last, so that half an image is none.
 * One thread.
 */
final class Qcow2Creator implements Closeable {
  private static final int STEP = 1 << 20;

  private final HostFile file;
  private final CreateContext context;
  private final Qcow2Options choices;
  private final Optional<byte[]> backingName;
  private final Optional<String> backingFormat;
  private final long virtualSize;
  private final Optional<NewLuks> luks;

  Qcow2Creator(HostFile file, CreateOptions options, CreateContext context) throws IOException {
    this.file = file;
    this.context = context;
    this.choices = new Qcow2Options(options.options(), options.backingName().isPresent());
    this.backingName = options.backingName().map(name -> name.getBytes(StandardCharsets.UTF_8));
    this.backingFormat = options.backingFormat();
    if (backingName.isPresent() && backingName.get().length > Qcow2Header.MAX_BACKING_NAME) {
      throw new IllegalArgumentException(
          "the name of the backing file is longer than " + Qcow2Header.MAX_BACKING_NAME + " bytes");
    }
    this.luks =
        choices.cryptMethod == Luks.METHOD
            ? Optional.of(NewLuks.of(choices::encryption, context.secrets(), file.name()))
            : Optional.empty();
    boolean done = false;
    try {
      choices.refuseOthers();
      this.virtualSize = roundedSize(options);
      if (choices.cryptMethod == LegacyAes.METHOD) {
        LegacyAes.unlock(context.secrets(), file.name()).close(); // or nobody could open it
      }
      ClusterCodec.of(choices.compressionType, file.name()).close(); // likewise
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Disks have whole sectors of 512 bytes: QEMU would not see the rest of the last one. */
  private long roundedSize(CreateOptions options) throws IOException {
    long size;
    if (options.virtualSize().isPresent()) {
      size = options.virtualSize().get();
    } else if (options.backingName().isPresent()) {
      Reference reference =
          new Reference(
              Reference.Kind.BACKING,
              options.backingName().get(),
              options.backingFormat(),
              file,
              false);
      ImageInfo backing = context.backingInfo(reference);
      size = backing.virtualSize();
    } else {
      throw new IllegalArgumentException("a qcow2 image needs a size or a backing file");
    }
    if (size > Long.MAX_VALUE - 511) {
      throw new UnsupportedImageException(file.name() + ": virtual size " + size);
    }
    return (size + 511) & -512;
  }

  void create() throws IOException {
    long luksBytes = luks.isPresent() ? luks.get().length() : 0;
    NewTables tables = new NewTables(file, choices, virtualSize, luksBytes);
    NewHeader header = new NewHeader(choices, virtualSize, backingName, backingFormat);
    ByteBuffer encoded = header.encode(tables, luksBytes);
    if (tables.end > file.capacity()) {
      throw new NoSpaceException(
          file.name() + " is full: it cannot grow beyond " + file.capacity() + " bytes");
    }
    long held = file.size();
    tables.write();
    if (luks.isPresent()) {
      long clusterSize = 1L << choices.clusterBits;
      writeZeroes(file, tables.encryption, (luksBytes + clusterSize - 1) & -clusterSize);
      luks.get().write(file, tables.encryption);
    }
    ByteBuffer magic = encoded.duplicate().limit(Integer.BYTES);
    file.write(encoded.position(Integer.BYTES), Integer.BYTES);
    if (choices.dataFile.isPresent()) {
      reserve(dataFile(choices.dataFile.get()), 0, tables.dataBytes(), true);
    } else if (choices.isPreallocated()) {
      file.resize(Math.max(held, tables.end));
      reserve(file, tables.data, tables.dataBytes(), tables.data >= held);
    }
    file.write(magic, 0);
  }

  /** Makes the file that guest data will lie in, as large as the disk. */
  private HostFile dataFile(String name) throws IOException {
    Reference reference =
        new Reference(Reference.Kind.DATA_FILE, name, Optional.of("raw"), file, true);
    HostFile made = context.file(reference);
    made.resize(virtualSize);
    return made;
  }

  /** Wipes the passphrase. */
  @Override
  public void close() {
    luks.ifPresent(NewLuks::close);
  }

  private void writeZeroes(HostFile target, long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, Math.max(length, 1)));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      target.write(zeroes, offset + done);
    }
  }

  /**
   * Sets the space of all guest clusters aside, as the options want it.
   *
   * @param isNew whether the space was never written
   */
  private void reserve(HostFile target, long offset, long length, boolean isNew)
      throws IOException {
    if (!choices.isPreallocated() || (choices.isMetadataAlone() && isNew)) {
      return;
    }
    boolean reserved =
        !choices.preallocation.equals("full")
            && (isNew ? target.allocate(offset, length) : target.zero(offset, length, true));
    if (!reserved) {
      writeZeroes(target, offset, length);
    }
  }
}
