package io.vdisk.format.qcow;

import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Clusters as raw deflate streams, without zlib's header and checksum. */
final class ClusterCompression {
  private ClusterCompression() {}

  /**
   * Decompresses a cluster.
   *
   * @param cluster filled from position to limit
   * @param where for messages
   */
  static void decode(ByteBuffer encoded, ByteBuffer cluster, String where) throws IOException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(encoded);
      while (cluster.hasRemaining() && inflater.inflate(cluster) > 0) {
        // until the cluster is full, or nothing more comes
      }
    } catch (DataFormatException e) {
      throw new CorruptImageException(where + ": " + e.getMessage(), e);
    } finally {
      inflater.end();
    }
    if (cluster.hasRemaining()) {
      throw new CorruptImageException(where + ": ends " + cluster.remaining() + " bytes early");
    }
  }

  /**
   * Compresses a cluster.
   *
   * @return bytes put into {@code target}; 0 if the cluster does not shrink
   */
  static int encode(ByteBuffer cluster, ByteBuffer target) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try {
      int start = target.position();
      int limit = target.limit();
      target.limit(start + cluster.remaining() - 1);
      deflater.setInput(cluster);
      deflater.finish();
      deflater.deflate(target);
      target.limit(limit);
      if (!deflater.finished()) {
        target.position(start);
        cluster.position(cluster.limit());
        return 0;
      }
      return target.position() - start;
    } finally {
      deflater.end();
    }
  }
}
