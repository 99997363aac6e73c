package io.vdisk.format.qcow2;

import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.EncodedWriting;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.IoCallable;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.WritableLayout;
import io.vdisk.spi.metadata.Quarantine;
import io.vdisk.spi.metadata.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An open qcow2 image: guest clusters through L1 and L2 tables to host clusters. It keeps:
 *
 * <ol>
 *   <li>A cluster is taken (counted) before a write, named by an L2 entry at its commit.
 *   <li>A cluster that lost its entry goes to the quarantine; its count falls when the batch comes
 *       back, after its hole was punched and before it is offered again.
 *   <li>Only an entry with COPIED is written in place, only a table with COPIED is changed.
 *   <li>Nothing is written over metadata: where the tables would have it, the image is marked
 *       corrupt.
 * </ol>
 */
final class Qcow2Layout implements WritableLayout, EncodedWriting {
  private final Metadata metadata;
  private final Encryption encryption;
  private final ClusterCodec codec;
  private final ClusterWriter clusters;
  private final CompressedWriter compressed;
  private final HeaderMarks marks;
  private final Function<Qcow2Header, ImageInfo> describe;
  private final Qcow2Features features;
  private ImageInfo info;

  /**
   * An image.
   *
   * @param encryption of its data; owned by the layout
   * @param codec of its compressed clusters; owned by the layout
   * @param describe what the image says of itself
   * @param features what it can beyond reading and writing
   */
  Qcow2Layout(
      Metadata metadata,
      boolean hasBacking,
      Encryption encryption,
      ClusterCodec codec,
      HeaderMarks marks,
      Function<Qcow2Header, ImageInfo> describe,
      Qcow2Features features) {
    this.metadata = metadata;
    this.encryption = encryption;
    this.codec = codec;
    this.marks = marks;
    this.describe = describe;
    this.features = features;
    this.info = describe.apply(metadata.header());
    this.clusters = new ClusterWriter(metadata, hasBacking);
    this.compressed = new CompressedWriter(metadata, clusters);
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public long granule() {
    return metadata.entries().granule();
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    metadata.refresh();
    return map(metadata.tables(), metadata.entries(), offset, length);
  }

  /** What one state of the disk has at an offset. */
  static Mapping map(ClusterTables tables, Entries entries, long offset, long length)
      throws IOException {
    Slice slice = tables.entries(offset);
    if (slice == null) {
      return Mapping.backing(Math.min(length, tables.coverage() - offset % tables.coverage()));
    }
    return entries.map(slice, tables.indexOf(offset), offset, length);
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return encryption.cipher();
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(encoded.encodedLength());
    encoded.file().readPadded(bytes, encoded.fileOffset());
    if (!codec.decompress(bytes.flip(), unit)) {
      throw new CorruptImageException(
          encoded.file().name()
              + ": the compressed cluster at offset "
              + encoded.fileOffset()
              + " is broken");
    }
  }

  @Override
  public void beforeWrite(long offset, long length) throws IOException {
    metadata.refresh();
    marks.beforeWrite(offset, length);
  }

  /** Runs what changes tables; where it would hit metadata the image is marked corrupt. */
  private <T> T guarded(IoCallable<T> body) throws IOException {
    metadata.refresh();
    try {
      return body.call();
    } catch (OverlapException e) {
      marks.markCorrupt(e);
      throw e;
    }
  }

  @Override
  public Allocation allocate(long offset, long length) throws IOException {
    return guarded(() -> clusters.allocate(offset, length));
  }

  @Override
  public long zero(long offset, long length, boolean keepSpace) throws IOException {
    return guarded(() -> clusters.zero(offset, length, keepSpace));
  }

  @Override
  public void flush() throws IOException {
    metadata.writeBack.run();
  }

  @Override
  public long durableBatch() {
    return metadata.writeBack.durableBatch();
  }

  @Override
  public long quarantinedBytes() {
    return metadata.quarantine.bytes();
  }

  @Override
  public void recycle(long batch) throws IOException {
    metadata.refresh();
    List<Quarantine.Entry> entries = metadata.cache.locked(hold -> metadata.quarantine.take(batch));
    for (Quarantine.Entry entry : entries) {
      clusters.recycle(entry.fileOffset(), entry.length());
    }
  }

  /** QEMU leaves compressed clusters of an encrypted image in the open, and makes none. */
  @Override
  public boolean canEncode() {
    return encryption.cipher().isEmpty() && !metadata.header().hasDataFile();
  }

  @Override
  public int encode(ByteBuffer unit, ByteBuffer target) throws IOException {
    return codec.compress(unit, target, metadata.header().clusterSize() - 1);
  }

  @Override
  public Allocation allocateEncoded(long offset, int encodedLength) throws IOException {
    return guarded(() -> compressed.allocate(offset, encodedLength));
  }

  @Override
  public <T> Optional<T> feature(Class<T> type, Exclusive exclusive) {
    return features.find(type, exclusive, this);
  }

  /** The writer that features use. */
  ClusterWriter clusters() {
    return clusters;
  }

  @Override
  public void finish() throws IOException {
    marks.settle();
  }

  @Override
  public void reload() throws IOException {
    try {
      metadata.reload();
    } finally {
      marks.reload();
    }
    info = describe.apply(metadata.header());
  }

  @Override
  public void close() throws IOException {
    codec.close();
    encryption.close();
  }
}
