package io.vdisk.bench.engine;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes of which each copies a cluster up from a backing file. */
public class CopyingUp extends Fresh {
  private static final int CLUSTER = 1 << 16;

  @Override
  Batch batch(Folder folder) {
    return Batch.of(folder.bytes(), size, order);
  }

  @Override
  Disk make(Subject asked, Folder folder) throws IOException {
    if (asked != Subject.ENGINE) {
      Disk base =
          asked.open(
              Images.open(folder.fullPath(format), reading()),
              folder.fullPath(format),
              false,
              cache);
      return new ByHand(base, sparse(asked, folder));
    }
    CreateOptions options =
        CreateOptions.overlay(format, folder.fullPath(format).toString(), format)
            .withReferences(ReferencePolicy.any())
            .withPageCache(cache);
    BlockDevice overlay = Images.create(folder.fresh(), options);
    return new DeviceDisk(overlay);
  }

  private OpenOptions reading() {
    return OpenOptions.readOnly().withFormat(format).withPageCache(cache);
  }

  /** The least that anyone must do: read the cluster, change it, write it elsewhere. */
  private record ByHand(Disk base, Disk copy) implements Disk {
    private static final ThreadLocal<ByteBuffer> CLUSTERS = ThreadLocal.withInitial(Disk::buffer);

    @Override
    public void read(ByteBuffer dst, long offset) throws IOException {
      copy.read(dst, offset);
    }

    @Override
    public void write(ByteBuffer src, long offset) throws IOException {
      if (src.remaining() >= CLUSTER) {
        copy.write(src, offset);
        return;
      }
      long start = offset / CLUSTER * CLUSTER;
      ByteBuffer cluster = CLUSTERS.get().clear().limit(CLUSTER);
      base.read(cluster, start);
      cluster.position((int) (offset - start)).put(src).rewind();
      copy.write(cluster, start);
    }

    @Override
    public void zero(long offset, int length) throws IOException {
      copy.zero(offset, length);
    }

    @Override
    public void close() throws IOException {
      try (base) {
        copy.close();
      }
    }
  }
}
