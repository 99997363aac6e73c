package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file through {@link FileChannel}, for Windows, where {@link AsyncFile} would run threads of its
 * own. A thread that is interrupted inside a transfer closes it for everybody. Takes no locks:
 * those of Windows would keep others from the very bytes, which are part of the image.
 */
final class BlockingFile implements NativeFile {
  private final FileChannel channel;
  private final ReentrantLock resizing = new ReentrantLock();

  private BlockingFile(FileChannel channel) {
    this.channel = channel;
  }

  static BlockingFile open(Path path, boolean writable, LinkOption... links) throws IOException {
    return new BlockingFile(FileChannel.open(path, AsyncFile.options(writable, links)));
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    return Math.max(0, channel.read(dst, offset));
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    return channel.write(src, offset);
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public void resize(long size) throws IOException {
    resizing.lock();
    try {
      if (channel.size() < size) {
        ByteBuffer zero = ByteBuffer.allocateDirect(1);
        while (zero.hasRemaining()) {
          write(zero, size - 1);
        }
      } else {
        channel.truncate(size);
      }
    } finally {
      resizing.unlock();
    }
  }

  @Override
  public void flush() throws IOException {
    channel.force(false);
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) {
    return false;
  }

  @Override
  public long dataEnd(long offset, long limit) {
    return limit > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + limit;
  }

  @Override
  public boolean lock(long offset, long length, boolean shared) {
    return true;
  }

  @Override
  public void unlock(long offset, long length) {}

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
