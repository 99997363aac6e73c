package io.vdisk.format.qcow2;

import io.vdisk.spi.codec.RawDeflate;
import java.nio.ByteBuffer;

/** Compression type 0: deflate without a zlib header. */
final class ZlibCodec implements ClusterCodec {
  static final int TYPE = 0;

  private final RawDeflate deflate = new RawDeflate();

  @Override
  public boolean decompress(ByteBuffer bytes, ByteBuffer unit) {
    return deflate.inflate(bytes, unit);
  }

  @Override
  public int compress(ByteBuffer unit, ByteBuffer target, int most) {
    return deflate.deflate(unit, target, most);
  }

  @Override
  public void close() {
    deflate.close();
  }
}
