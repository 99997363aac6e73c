package io.vdisk.format.vmdk;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Forgets all grains, table by table, and cuts the file behind the tables. If the parent has
 * another CID than the descriptor says, because it was just committed to, the descriptor learns
 * that first: what the disk shows then is what the caller has seen.
 *
 * <p>At every instant each grain is that of this disk or that of its parent: extents are marked as
 * being written before an entry changes, so that the next writer makes the copies of tables equal,
 * and grains are cut off when it is durable that nothing names them.
 */
final class VmdkEmptying {
  private final VmdkImage image;

  VmdkEmptying(VmdkImage image) {
    this.image = image;
  }

  void empty() throws IOException {
    for (PlacedExtent placed : image.extents()) {
      placed.extent().beforeWrite();
    }
    Optional<Descriptor> text = image.descriptor();
    Optional<Long> cid = image.parentCid();
    if (text.isPresent() && cid.isPresent() && text.get().parentCid() != cid.get()) {
      image.write(text.get().withParentCid(cid.get()));
    }
    for (PlacedExtent placed : image.extents()) {
      if (placed.extent() instanceof SparseExtent sparse) {
        empty(sparse.geometry());
      }
    }
  }

  private static void empty(GrainGeometry geometry) throws IOException {
    HostFile file = geometry.file();
    TableWalk walk = new TableWalk(geometry);
    Clearing clearing = new Clearing(geometry);
    walk.walk(geometry.directory(), clearing);
    if (geometry.isRedundant()) {
      walk.walk(geometry.redundant(), clearing);
    }
    file.flush();
    long grain = geometry.grainSize();
    long end = (clearing.end + grain - 1) & -grain;
    if (end < file.size() && file.size() < file.capacity()) {
      file.resize(end);
      file.flush();
    }
  }

  /** Clears a table when its first entry comes. */
  private static final class Clearing implements TableWalk.Visitor {
    private final GrainGeometry geometry;
    private long place;
    private boolean isClear;
    private long end;

    Clearing(GrainGeometry geometry) {
      this.geometry = geometry;
      this.end =
          Math.max(
              geometry.headerEnd(),
              Math.max(geometry.directory(), geometry.redundant()) + geometry.directoryBytes());
    }

    @Override
    public boolean table(long table, long tablePlace) {
      place = tablePlace;
      isClear = false;
      end = Math.max(end, tablePlace + geometry.tableBytes());
      return true;
    }

    @Override
    public void entry(long grain, long entry) throws IOException {
      if (!isClear) {
        geometry.file().write(ByteBuffer.allocate(geometry.tableBytes()), place);
        isClear = true;
      }
    }
  }
}
