package io.vdisk.format.qcow;

import io.vdisk.Capability;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.feature.Checking;
import io.vdisk.file.HostFile;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.EncodedWriting;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.NoSpaceException;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.codec.RawDeflate;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.TableCache;
import io.vdisk.spi.metadata.WriteBack;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An open image of qcow version 1. New clusters and tables go to the end of the file, and no space
 * is used twice: the format counts nothing and has no word for "zero".
 */
final class QcowLayout implements WritableLayout, EncodedWriting {
  private final RawDeflate deflate = new RawDeflate();
  private final HostFile file;
  private final QcowHeader header;
  private final ByteOrder l1Order;
  private final Optional<SectorCipher> cipher;
  private final Optional<Reference> backing;
  private final boolean backed;
  private final ClusterTables tables;
  private final WriteBack<WriteStage> writeBack;

  /** Held while the extension is retired. */
  private final ReentrantLock retiring = new ReentrantLock();

  /** What Xen believes of the image; empty from the first allocation on. */
  private volatile Optional<XenExtension> extension;

  /**
   * An image.
   *
   * @param l1Order how the L1 table lies on disk
   * @param end where the space ends that is in use
   * @param cipher owned by the layout if it can be closed
   * @param backing what the image names
   * @param backed whether there is a backing device
   */
  QcowLayout(
      HostFile file,
      QcowHeader header,
      Optional<XenExtension> extension,
      ByteOrder l1Order,
      long end,
      Optional<SectorCipher> cipher,
      Optional<Reference> backing,
      boolean backed,
      CacheBudget budget) {
    this.file = file;
    this.header = header;
    this.extension = extension;
    this.l1Order = l1Order;
    this.cipher = cipher;
    this.backing = backing;
    this.backed = backed;
    this.tables = new ClusterTables(file, header, l1Order, end, budget);
    this.writeBack =
        new WriteBack<>(
            WriteStage.class, WriteStage.L1_TABLE, tables.cache(), new Quarantine(), List.of(file));
  }

  @Override
  public ImageInfo info() {
    ImageInfo.Builder info =
        ImageInfo.builder(QcowFormat.NAME, header.size(), header.clusterSize())
            .backing(backing)
            .detail("encrypted", header.isEncrypted());
    extension.ifPresent(xen -> info.detail("xen", describe(xen)));
    return info.build();
  }

  private Map<String, Object> describe(XenExtension xen) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("cksum", xen.cksum());
    fields.put("min-cluster-alloc", xen.minClusterAlloc());
    xen.flags().ifPresent(flags -> fields.put("flags", flags));
    fields.put("l1-little-endian", l1Order == ByteOrder.LITTLE_ENDIAN);
    return fields;
  }

  @Override
  public long unitStart(long offset) {
    return offset & -header.clusterSize();
  }

  @Override
  public long unitEnd(long offset) {
    return unitStart(offset) + header.clusterSize();
  }

  @Override
  public long granule() {
    return header.clusterSize();
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.of(Capability.DISCARD);
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    return tables.map(offset, length);
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return cipher;
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(encoded.encodedLength());
    String where = file.name() + ": compressed cluster at " + encoded.fileOffset();
    try {
      file.readFully(bytes, encoded.fileOffset());
    } catch (EOFException e) {
      throw new CorruptImageException(where + " is past the end", e);
    }
    if (!deflate.inflate(bytes.flip(), unit)) {
      throw new CorruptImageException(where + " is broken");
    }
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    retireExtension();
    int slices = tables.slicesOfNewTable();
    writeBack.reserve(slices);
    boolean done = false;
    try {
      Allocation space = tables.cache().locked(hold -> take(hold, offset, length, slices));
      done = true;
      return space;
    } finally {
      if (!done) {
        writeBack.release(slices);
      }
    }
  }

  private Allocation take(TableCache.Hold hold, long offset, long length, int slices)
      throws IOException {
    long cluster = offset >>> header.clusterBits();
    long last = (offset + length - 1) >>> header.clusterBits();
    int clusters = tables.countUnwritable(hold, cluster, last - cluster + 1);
    assert clusters > 0 : "guest offset " + offset + " is writable in place";
    clusters = tables.countFitting(hold, cluster, clusters);
    long bytes = (long) clusters << header.clusterBits();
    long head = offset - unitStart(offset);
    long place = tables.take(hold, cluster, bytes, header.clusterSize());
    return new ClusterAllocation(
        this,
        cluster,
        clusters,
        new L2Entry(place),
        place,
        bytes,
        head,
        bytes - head,
        length,
        slices);
  }

  /** QEMU leaves compressed clusters of an encrypted image in the open, and makes none. */
  @Override
  public boolean canEncode() {
    return cipher.isEmpty();
  }

  @Override
  public int encode(ByteBuffer unit, ByteBuffer target) {
    return deflate.deflate(unit, target, header.clusterSize() - 1);
  }

  @Override
  public Allocation allocateEncoded(long offset, int encodedLength) throws IOException {
    retireExtension();
    int slices = tables.slicesOfNewTable();
    writeBack.reserve(slices);
    boolean done = false;
    try {
      long cluster = offset >>> header.clusterBits();
      long place = tables.cache().locked(hold -> tables.take(hold, cluster, encodedLength, 1));
      if (place >>> (63 - header.clusterBits()) != 0) {
        throw new NoSpaceException(file.name() + ": a compressed cluster cannot lie at " + place);
      }
      done = true;
      return new ClusterAllocation(
          this,
          cluster,
          1,
          L2Entry.compressed(place, encodedLength, header.clusterBits()),
          place,
          encodedLength,
          0,
          header.clusterSize(),
          header.clusterSize(),
          slices);
    } finally {
      if (!done) {
        writeBack.release(slices);
      }
    }
  }

  /**
   * Before there is a cluster where Xen would not look for it. What is written here is durable
   * before any table that names a new cluster, as all guest data is.
   */
  private void retireExtension() throws IOException {
    if (!isTrusted()) {
      return;
    }
    retiring.lock();
    try {
      if (isTrusted()) {
        XenExtension.retire(file, l1Order);
        extension = extension.flatMap(xen -> xen.retired(l1Order));
      }
    } finally {
      retiring.unlock();
    }
  }

  /** Whether Xen may rely on where it would have put a cluster. */
  private boolean isTrusted() {
    Optional<XenExtension> xen = extension;
    return xen.isPresent() && (l1Order == ByteOrder.BIG_ENDIAN || xen.get().minClusterAlloc() != 1);
  }

  HostFile file() {
    return file;
  }

  /** Makes the clusters visible. */
  void commit(long cluster, int clusters, L2Entry first, int slices) throws IOException {
    tables
        .cache()
        .locked(
            hold -> {
              tables.set(hold, cluster, clusters, first);
              return true;
            });
    writeBack.release(slices);
  }

  /** Gives back what was not used. */
  void abort(long place, long bytes, int slices) {
    try {
      tables
          .cache()
          .locked(
              hold -> {
                tables.giveBack(place, bytes);
                return true;
              });
    } catch (IOException e) {
      throw new AssertionError("no slice was asked for", e);
    } finally {
      writeBack.release(slices);
    }
  }

  /**
   * Nothing can be recorded. Clusters that have space are zeroed there, where the host can do it;
   * those that never had reads as zero already, unless there is a backing file.
   */
  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    Mapping run = tables.map(offset, length);
    long bytes = Math.min(run.length(), length);
    boolean isZero =
        switch (run.kind()) {
          case STORED -> cipher.isEmpty() && file.zero(run.fileOffset(), bytes, keepSpace);
          case BACKING -> !backed;
          case ZERO, ENCODED -> false;
        };
    return isZero ? bytes : 0;
  }

  @Override
  public void flush() throws IOException {
    writeBack.run();
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    if (type != Checking.class) {
      return Optional.empty();
    }
    Checking checking =
        progress -> exclusive.call(() -> new QcowChecker(file, header, l1Order).check(progress));
    return Optional.of(type.cast(checking));
  }

  @Override
  public void reload() {
    tables.cache().abandon();
  }

  @Override
  public void close() throws IOException {
    deflate.close();
    if (cipher.orElse(null) instanceof Closeable keys) {
      keys.close();
    }
    tables.cache().abandon();
  }
}
