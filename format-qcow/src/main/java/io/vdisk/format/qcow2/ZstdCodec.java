package io.vdisk.format.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Compression type 1: one zstd frame for each cluster (RFC 8878). By zstd-jni, which is optional:
 * its native code is loaded at the first use.
 *
 * <p>A frame is decompressed into the cluster itself in one call, so that no frame, whatever window
 * or size it claims, makes zstd take memory of its own for it.
 */
final class ZstdCodec implements ClusterCodec {
  /** zstd's own choice, and QEMU's. */
  private static final int LEVEL = 3;

  private final ConcurrentLinkedQueue<ZstdDecompressCtx> decompressors =
      new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<ZstdCompressCtx> compressors = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  /** A codec; loads no native code. Only where the library is. */
  ZstdCodec() {}

  @Override
  public boolean decompress(ByteBuffer bytes, ByteBuffer unit) {
    byte[] source = new byte[bytes.remaining()];
    bytes.get(source);
    byte[] target = unit.hasArray() ? unit.array() : new byte[unit.remaining()];
    int start = unit.hasArray() ? unit.arrayOffset() + unit.position() : 0;
    int length = unit.remaining();
    ZstdDecompressCtx context = decompressors.poll();
    if (context == null) {
      context = new ZstdDecompressCtx();
    }
    try {
      long frame = Zstd.findFrameCompressedSize(source);
      if (Zstd.isError(frame) || frame > source.length) {
        return false;
      }
      int made = context.decompressByteArray(target, start, length, source, 0, (int) frame);
      if (made != length) {
        return false;
      }
    } catch (ZstdException e) {
      return false;
    } finally {
      decompressors.add(context);
      releaseIfClosed();
    }
    if (unit.hasArray()) {
      unit.position(unit.limit());
    } else {
      unit.put(target);
    }
    return true;
  }

  @Override
  public int compress(ByteBuffer unit, ByteBuffer target, int most) {
    int room = Math.min(most, target.remaining());
    ZstdCompressCtx context = compressors.poll();
    if (context == null) {
      context = new ZstdCompressCtx().setLevel(LEVEL);
    }
    try {
      return unit.isDirect() && target.isDirect()
          ? compressDirect(context, unit, target, room)
          : compressCopied(context, unit, target, room);
    } catch (ZstdException e) {
      return 0; // no room: it does not shrink
    } finally {
      compressors.add(context);
      releaseIfClosed();
    }
  }

  private static int compressDirect(
      ZstdCompressCtx context, ByteBuffer unit, ByteBuffer target, int room) {
    int to = target.position();
    int from = unit.position();
    int length = context.compressDirectByteBuffer(target, to, room, unit, from, unit.remaining());
    unit.position(unit.limit());
    target.position(to + length);
    return length;
  }

  private static int compressCopied(
      ZstdCompressCtx context, ByteBuffer unit, ByteBuffer target, int room) {
    byte[] source = new byte[unit.remaining()];
    unit.get(source);
    byte[] made = new byte[room];
    int length = context.compressByteArray(made, 0, room, source, 0, source.length);
    target.put(made, 0, length);
    return length;
  }

  @Override
  public void close() {
    closed = true;
    releaseIfClosed();
  }

  private void releaseIfClosed() {
    if (closed) {
      for (ZstdDecompressCtx context; (context = decompressors.poll()) != null; ) {
        context.close();
      }
      for (ZstdCompressCtx context; (context = compressors.poll()) != null; ) {
        context.close();
      }
    }
  }
}
