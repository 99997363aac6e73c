package io.vdisk.format.raw;

import io.vdisk.ImageInfo;
import io.vdisk.Piece;
import io.vdisk.SequentialSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** The bytes of a disk as they arrive; how many there are shows at the end. One thread. */
final class RawSource implements SequentialSource {
  private static final int STEP = 64 << 10;

  private final InputStream in;
  private final byte[] bytes = new byte[STEP];
  private long position;

  RawSource(InputStream in) {
    this.in = in;
  }

  @Override
  public ImageInfo info() {
    return ImageInfo.builder(RawFormat.NAME, 0, 1).build();
  }

  @Override
  public OptionalLong virtualSize() {
    return OptionalLong.empty();
  }

  /** Fills the piece, so that its borders are the same whatever a pipe gives at a time. */
  @Override
  public boolean next(Piece into) throws IOException {
    ByteBuffer buffer = into.buffer().clear();
    boolean more = true;
    while (more && buffer.hasRemaining()) {
      int count = in.readNBytes(bytes, 0, Math.min(bytes.length, buffer.remaining()));
      buffer.put(bytes, 0, count);
      more = count > 0;
    }
    into.moveTo(position);
    position += buffer.flip().remaining();
    return buffer.hasRemaining();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
