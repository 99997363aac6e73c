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
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.metadata.CacheBudget;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes a qcow2 image: header, refcount table, refcount blocks, L1 table, in this order of host
 * clusters, as QEMU has them. The header's magic number is written last, so that half an image is
 * none. One thread.
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

  private long clusterSize() {
    return 1L << choices.clusterBits;
  }

  private static long divideUp(long value, long by) {
    return value / by + (value % by == 0 ? 0 : 1);
  }

  void create() throws IOException {
    RefcountWidth width = new RefcountWidth(choices.refcountOrder);
    int entryBytes = choices.extended ? 2 * Long.BYTES : Long.BYTES;
    long l1Entries = divideUp(virtualSize, clusterSize() * (clusterSize() / entryBytes));
    if (l1Entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
      throw new UnsupportedImageException(
          file.name()
              + ": "
              + virtualSize
              + " bytes are too many for clusters of "
              + clusterSize());
    }
    long l1Clusters = divideUp(l1Entries * Long.BYTES, clusterSize());
    long perBlock = width.in(clusterSize());
    long luksClusters = luks.isEmpty() ? 0 : divideUp(luks.get().length(), clusterSize());
    long blocks = 1;
    long tableClusters = 1;
    while (true) {
      long used = 1 + tableClusters + blocks + l1Clusters + luksClusters;
      long neededBlocks = divideUp(used, perBlock);
      long neededTable = divideUp(neededBlocks * Long.BYTES, clusterSize());
      if (neededBlocks <= blocks && neededTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, neededBlocks);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    long tableOffset = clusterSize();
    long blocksOffset = tableOffset + tableClusters * clusterSize();
    long l1Offset = blocksOffset + blocks * clusterSize();
    long used = 1 + tableClusters + blocks + l1Clusters + luksClusters;
    writeTable(tableOffset, tableClusters, blocks, blocksOffset);
    writeBlocks(blocksOffset, blocks, used, width);
    writeZeroes(file, l1Offset, l1Entries * Long.BYTES);
    long luksOffset = l1Offset + l1Clusters * clusterSize();
    if (luks.isPresent()) {
      writeZeroes(file, luksOffset, luksClusters * clusterSize());
      luks.get().write(file, luksOffset);
    }
    ByteBuffer header = header(l1Entries, l1Offset, tableOffset, tableClusters, luksOffset);
    ByteBuffer magic = header.duplicate().limit(4);
    file.write(header.duplicate().position(4), 4);
    HostFile dataFile = choices.dataFile.isPresent() ? dataFile(choices.dataFile.get()) : file;
    if (choices.isPreallocated()) {
      preallocate(header, dataFile);
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

  private void writeTable(long offset, long clusters, long blocks, long blocksOffset)
      throws IOException {
    ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(clusters * clusterSize()));
    for (int i = 0; i < blocks; i++) {
      table.putLong(i * Long.BYTES, blocksOffset + i * clusterSize());
    }
    file.write(table, offset);
  }

  private void writeBlocks(long offset, long blocks, long used, RefcountWidth width)
      throws IOException {
    ByteBuffer block = ByteBuffer.allocate(Math.toIntExact(clusterSize()));
    for (long i = 0; i < blocks; i++) {
      long first = i * width.in(clusterSize());
      block.clear();
      for (long at = first; block.hasRemaining(); at += width.perWord()) {
        long counts = 0;
        for (int j = 0; j < width.perWord() && at + j < used; j++) {
          counts = width.with(counts, j, 1);
        }
        block.putLong(counts);
      }
      file.write(block.flip(), offset + i * clusterSize());
    }
  }

  private void writeZeroes(HostFile target, long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, Math.max(length, 1)));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      target.write(zeroes, offset + done);
    }
  }

  private ByteBuffer header(
      long l1Entries, long l1Offset, long tableOffset, long tableClusters, long luksOffset) {
    int length = choices.version == 2 ? Qcow2Header.VERSION_2_LENGTH : Qcow2Header.LENGTH;
    ByteBuffer header = ByteBuffer.allocate(Math.toIntExact(clusterSize()));
    Qcow2Header.MAGIC.put(header, 0, Qcow2Header.QFI);
    Qcow2Header.VERSION.put(header, 0, choices.version);
    Qcow2Header.CLUSTER_BITS.put(header, 0, choices.clusterBits);
    Qcow2Header.SIZE.put(header, 0, virtualSize);
    Qcow2Header.CRYPT_METHOD.put(header, 0, choices.cryptMethod);
    Qcow2Header.L1_SIZE.put(header, 0, l1Entries);
    Qcow2Header.L1_TABLE_OFFSET.put(header, 0, l1Offset);
    Qcow2Header.REFCOUNT_TABLE_OFFSET.put(header, 0, tableOffset);
    Qcow2Header.REFCOUNT_TABLE_CLUSTERS.put(header, 0, tableClusters);
    if (choices.version == 3) {
      putFeatures(header);
      Qcow2Header.REFCOUNT_ORDER.put(header, 0, choices.refcountOrder);
      Qcow2Header.HEADER_LENGTH.put(header, 0, length);
      Qcow2Header.COMPRESSION_TYPE.put(header, 0, choices.compressionType);
    }
    byte[] name = backingName.orElse(new byte[0]);
    header.position(length);
    for (HeaderExtension extension : extensions(header.remaining() - name.length, luksOffset)) {
      extension.encode(header);
    }
    header.position(header.position() + HeaderExtension.PREFIX); // the end, which is zero
    if (backingName.isPresent()) {
      Qcow2Header.BACKING_FILE_OFFSET.put(header, 0, header.position());
      Qcow2Header.BACKING_FILE_SIZE.put(header, 0, name.length);
      header.put(name);
    }
    return header.flip();
  }

  private void putFeatures(ByteBuffer header) {
    long incompatible =
        bit(Feature.DATA_FILE, choices.dataFile.isPresent())
            | bit(Feature.COMPRESSION_TYPE, choices.compressionType != 0)
            | bit(Feature.EXTENDED_L2, choices.extended);
    long compatible = bit(Feature.LAZY_REFCOUNTS, choices.lazyRefcounts);
    long autoclear = bit(Feature.RAW_DATA_FILE, choices.dataFileRaw);
    Qcow2Header.INCOMPATIBLE_FEATURES.put(header, 0, incompatible);
    Qcow2Header.COMPATIBLE_FEATURES.put(header, 0, compatible);
    Qcow2Header.AUTOCLEAR_FEATURES.put(header, 0, autoclear);
  }

  private static long bit(Feature feature, boolean isSet) {
    return isSet ? feature.mask() : 0;
  }

  /** What fits: the names of features may be left out, the format of the backing file not. */
  private List<HeaderExtension> extensions(int room, long luksOffset) {
    List<HeaderExtension> wanted = new ArrayList<>();
    int left = room - HeaderExtension.PREFIX;
    if (luks.isPresent()) {
      ByteBuffer pointer = ByteBuffer.allocate(2 * Long.BYTES);
      pointer.putLong(luksOffset).putLong(luks.get().length());
      HeaderExtension extension = new HeaderExtension(HeaderExtension.ENCRYPTION, pointer.array());
      wanted.add(extension);
      left -= extension.size();
    }
    if (backingName.isPresent() && backingFormat.isPresent()) {
      HeaderExtension format =
          HeaderExtension.text(HeaderExtension.BACKING_FORMAT, backingFormat.get());
      wanted.add(format);
      left -= format.size();
    }
    if (choices.dataFile.isPresent()) {
      HeaderExtension data =
          HeaderExtension.text(HeaderExtension.DATA_FILE, choices.dataFile.get());
      wanted.add(data);
      left -= data.size();
    }
    if (left < 0) {
      throw new IllegalArgumentException(
          "the names of other files do not fit into a cluster of " + clusterSize());
    }
    HeaderExtension names = HeaderExtension.featureNames();
    if (choices.version == 3 && names.size() <= left) {
      wanted.add(names);
    }
    return wanted;
  }

  /** Gives every guest cluster its host cluster, through the layout that will use them. */
  private void preallocate(ByteBuffer encoded, HostFile dataFile) throws IOException {
    Qcow2Header header = Qcow2Header.parse(encoded, file, context.limits());
    CacheBudget budget = CacheBudget.standard();
    Metadata metadata =
        new Metadata(
            file, dataFile, header, context.limits(), budget, true, Qcow2Header.Reading.STRICT);
    List<Refcounts.Space> made = new ClusterWriter(metadata, false).preallocate();
    long end = dataFile.size();
    for (Refcounts.Space space : made) {
      end = Math.max(end, space.offset() + space.length());
    }
    if (choices.dataFile.isEmpty()) {
      dataFile.resize(end);
    }
    for (Refcounts.Space space : made) {
      reserve(dataFile, space);
    }
    metadata.writeBack.run();
  }

  private void reserve(HostFile dataFile, Refcounts.Space space) throws IOException {
    boolean isNew = space.zeroed() || choices.dataFile.isPresent();
    if (choices.isMetadataAlone() && isNew) {
      return;
    }
    boolean reserved =
        !choices.preallocation.equals("full")
            && (isNew
                ? dataFile.allocate(space.offset(), space.length())
                : dataFile.zero(space.offset(), space.length(), true));
    if (!reserved) {
      writeZeroes(dataFile, space.offset(), space.length());
    }
  }
}
