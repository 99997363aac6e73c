package io.vdisk.file;

import static com.google.common.util.concurrent.Uninterruptibles.getUninterruptibly;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file through {@link AsynchronousFileChannel}, which an interrupt does not close as it does a
 * {@code FileChannel}. With an executor that runs each call at once there is nothing asynchronous
 * about it: on Unix the caller's own thread makes the system call.
 *
 * <p>Its locks are POSIX's: they die when <em>any</em> channel on the file is closed in this
 * process, which {@link FileRegistry} sees to.
 */
final class AsyncFile implements NativeFile {
  private static final ExecutorService INLINE = new InlineExecutor();

  private final AsynchronousFileChannel channel;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, FileLock> locks = new HashMap<>(); // under lock, by offset

  private AsyncFile(AsynchronousFileChannel channel) {
    this.channel = channel;
  }

  static AsyncFile open(Path path, boolean writable, LinkOption... links) throws IOException {
    return new AsyncFile(AsynchronousFileChannel.open(path, options(writable, links), INLINE));
  }

  static Set<OpenOption> options(boolean writable, LinkOption... links) {
    Set<OpenOption> options = new HashSet<>(List.of(links));
    options.add(StandardOpenOption.READ);
    if (writable) {
      options.add(StandardOpenOption.WRITE);
    }
    return options;
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    return Math.max(0, done(channel.read(dst, offset)));
  }

  @Override
  public int write(ByteBuffer src, long offset) throws IOException {
    return done(channel.write(src, offset));
  }

  private static int done(Future<Integer> transfer) throws IOException {
    try {
      return getUninterruptibly(transfer);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause; // thrown by this very call, so its trace is the caller's
      }
      throw new IOException(e.getCause());
    }
  }

  /** Of a block device too: both 17 and 25 ask the kernel for it (tried on Linux). */
  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public void resize(long size) throws IOException {
    lock.lock();
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
      lock.unlock();
    }
  }

  /**
   * As fdatasync(2): with the size and whatever else is needed to find the data, without the time
   * of the last change, which would cost a file system's journal a commit of its own.
   */
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
  public boolean lock(long offset, long length, boolean shared) throws IOException {
    lock.lock();
    try {
      FileLock taken = channel.tryLock(offset, length, shared);
      if (taken == null) {
        return false;
      }
      locks.put(offset, taken);
      return true;
    } catch (OverlappingFileLockException e) {
      return false; // somebody in this JVM who does not ask the registry
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void unlock(long offset, long length) throws IOException {
    lock.lock();
    try {
      FileLock taken = locks.remove(offset);
      if (taken != null) {
        taken.release();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
