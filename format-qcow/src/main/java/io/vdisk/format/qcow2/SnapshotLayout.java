package io.vdisk.format.qcow2;

import io.vdisk.ImageInfo;
import io.vdisk.spi.ImageLayout;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.metadata.CacheBudget;
import io.vdisk.spi.metadata.TableCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A snapshot of an open image, for reading. Its tables and clusters stay what they are as long as
 * it is there: the image changes copies of them.
 */
final class SnapshotLayout implements ImageLayout {
  private final Qcow2Layout image;
  private final ClusterTables tables;
  private final Entries entries;
  private final ImageInfo info;

  SnapshotLayout(Qcow2Layout image, Metadata metadata, SnapshotEntry snapshot, CacheBudget budget) {
    this.image = image;
    Qcow2Header header = metadata.header();
    TableCache cache = new TableCache(budget);
    this.tables =
        new ClusterTables(
            metadata.file,
            header,
            cache,
            snapshot.l1Offset(),
            (int) snapshot.l1Entries(),
            snapshot.virtualSize());
    this.entries = Entries.of(metadata.file, metadata.dataFile, header, MetadataMap.none());
    this.info =
        ImageInfo.builder(Qcow2Format.NAME, snapshot.virtualSize(), header.clusterSize()).build();
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public long granule() {
    return entries.granule();
  }

  @Override
  public Mapping map(long offset, long length) throws IOException {
    return Qcow2Layout.map(tables, entries, offset, length);
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    image.decode(encoded, unit);
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return image.cipher();
  }
}
