package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import io.vdisk.spi.BufferPool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Moves whole buffers between memory and a descriptor, which takes direct ones only and may move
 * less than it is asked for. Any thread may call.
 */
final class Transfers {
  /** Bytes moved at a time between a buffer in the heap and the host. */
  private static final int PIECE = 64 << 10;

  private static final BufferPool BUFFERS = new BufferPool();

  private final NativeFile descriptor;
  private final Path path;

  /**
   * Through {@code descriptor}, which stays the caller's.
   *
   * @param path for messages
   */
  Transfers(NativeFile descriptor, Path path) {
    this.descriptor = descriptor;
    this.path = path;
  }

  /** Reads as {@link HostFile#read} does. */
  int read(ByteBuffer dst, long offset) throws IOException {
    return dst.isDirect() ? readDirect(dst, offset) : readPieces(dst, offset);
  }

  private int readDirect(ByteBuffer dst, long offset) throws IOException {
    int wanted = dst.remaining();
    int done = descriptor.read(dst, offset);
    for (int more = done; more > 0 && done < wanted; done += more) {
      more = descriptor.read(dst, offset + done);
    }
    return done;
  }

  private int readPieces(ByteBuffer dst, long offset) throws IOException {
    int wanted = dst.remaining();
    ByteBuffer piece = BUFFERS.acquire(Math.min(wanted, PIECE));
    try {
      int done = 0;
      boolean ended = false;
      while (done < wanted && !ended) {
        piece.clear().limit(Math.min(wanted - done, PIECE));
        ended = readDirect(piece, offset + done) < piece.limit();
        done += piece.position();
        dst.put(piece.flip());
      }
      return done;
    } finally {
      BUFFERS.release(piece);
    }
  }

  /** Writes all of {@code src}. */
  void write(ByteBuffer src, long offset) throws IOException {
    if (src.isDirect()) {
      writeDirect(src, offset);
    } else {
      writePieces(src, offset);
    }
  }

  private void writeDirect(ByteBuffer src, long offset) throws IOException {
    long at = offset;
    while (src.hasRemaining()) {
      int written = descriptor.write(src, at);
      if (written == 0) {
        throw new IOException(path + ": the host takes no more bytes at " + at);
      }
      at += written;
    }
  }

  private void writePieces(ByteBuffer src, long offset) throws IOException {
    ByteBuffer piece = BUFFERS.acquire(Math.min(src.remaining(), PIECE));
    try {
      int limit = src.limit();
      for (long at = offset; src.hasRemaining(); at += piece.limit()) {
        src.limit(src.position() + Math.min(src.remaining(), PIECE));
        try {
          piece.clear().put(src).flip();
        } finally {
          src.limit(limit);
        }
        writeDirect(piece, at);
      }
    } finally {
      BUFFERS.release(piece);
    }
  }
}
