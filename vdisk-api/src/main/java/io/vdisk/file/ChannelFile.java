package io.vdisk.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A channel as a host file: the caller's own, or a file of a file system other than the default
 * one. One transfer at a time, because a channel has one position.
 *
 * <p>An interrupt that came before a call is put off until the call is over; one that comes within
 * it closes an interruptible channel (such as {@link FileChannel}) for good.
 *
 * <p>A {@code FileChannel} is flushed by its {@code force} and zeroes its own gaps; other channels
 * promise neither, so gaps are filled and there is nothing to flush.
 */
final class ChannelFile implements HostFile {
  /** The JDK's zip files; its channel for writing begins empty and replaces the old content. */
  private static final String ZIP = "jar";

  /** A transfer under the lock. */
  private interface Action<T> {
    T run() throws IOException;
  }

  private final SeekableByteChannel channel;
  private final @Nullable Path path;
  private final @Nullable Object key;
  private final Durability durability = new Durability();

  private final ReentrantLock lock = new ReentrantLock();
  // Under lock.
  private @Nullable Boolean writable;
  private boolean closed;

  /** Over a channel that stays the caller's. */
  ChannelFile(SeekableByteChannel channel) {
    this(channel, null, null, null);
  }

  private ChannelFile(
      SeekableByteChannel channel,
      @Nullable Path path,
      @Nullable Object key,
      @Nullable Boolean writable) {
    this.channel = channel;
    this.path = path;
    this.key = key;
    this.writable = writable;
  }

  /** Opens a file through the provider of its file system. */
  static ChannelFile open(Path path, boolean writable, LinkOption... links) throws IOException {
    if (writable && path.getFileSystem().provider().getScheme().equals(ZIP)) {
      throw new IOException(path + ": a file in an archive can only be read");
    }
    Object key = FileRegistry.key(path, links);
    try {
      return new ChannelFile(
          Files.newByteChannel(path, AsyncFile.options(writable, links)), path, key, writable);
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      throw new IOException(
          path + ": its file system does not open it" + (writable ? " for writing" : ""), e);
    }
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    Ranges.checkOffset(offset);
    return locked(
        () -> {
          long size = channel.size();
          int wanted = (int) Math.max(0, Math.min(dst.remaining(), size - offset));
          int limit = dst.limit();
          dst.limit(dst.position() + wanted);
          try {
            return wanted == 0 ? 0 : fill(dst, offset);
          } finally {
            dst.limit(limit);
          }
        });
  }

  private int fill(ByteBuffer dst, long offset) throws IOException {
    int start = dst.position();
    channel.position(offset);
    while (dst.hasRemaining()) {
      int read = channel.read(dst);
      if (read < 0) {
        break; // it was cut meanwhile, by somebody else
      }
      if (read == 0) {
        throw new IOException(name() + " gives no bytes at " + channel.position());
      }
    }
    return dst.position() - start;
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    Ranges.checkOffset(offset);
    changing(
        () -> {
          writeAt(src, offset);
          return true;
        });
  }

  private void writeAt(ByteBuffer src, long offset) throws IOException {
    if (offset > Long.MAX_VALUE - src.remaining()) {
      // Before the gap is filled, which would take for ever.
      throw new IOException(name() + ": no file reaches to " + offset + "+" + src.remaining());
    }
    if (!(channel instanceof FileChannel) && src.hasRemaining()) {
      ByteBuffer zeroes = ByteBuffer.allocate(1 << 16);
      for (long at = channel.size(); at < offset; at += zeroes.limit()) {
        zeroes.clear().limit((int) Math.min(zeroes.capacity(), offset - at));
        drain(zeroes, at);
      }
    }
    drain(src, offset);
  }

  private void drain(ByteBuffer src, long offset) throws IOException {
    channel.position(offset);
    while (src.hasRemaining()) {
      if (channel.write(src) <= 0) {
        throw new IOException(name() + " takes no bytes at " + channel.position());
      }
    }
  }

  @Override
  public long size() throws IOException {
    return locked(channel::size);
  }

  @Override
  public void resize(long size) throws IOException {
    Ranges.checkLength(size);
    changing(
        () -> {
          if (size > channel.size()) {
            writeAt(ByteBuffer.allocate(1), size - 1);
          } else {
            channel.truncate(size);
          }
          return true;
        });
  }

  @Override
  public void flush() throws IOException {
    long unused = size(); // a closed file says so
    durability.flush(
        () ->
            locked(
                () -> {
                  if (channel instanceof FileChannel file) {
                    file.force(false);
                  }
                  return true;
                }),
        name());
  }

  /** Found out by writing nothing: a channel cannot be asked. */
  @Override
  public boolean canWrite() {
    lock.lock();
    try {
      if (writable == null) {
        writable = tryWriting();
      }
      return writable;
    } finally {
      lock.unlock();
    }
  }

  private boolean tryWriting() {
    boolean interrupted = Thread.interrupted();
    try {
      channel.write(ByteBuffer.allocate(0));
      return true;
    } catch (NonWritableChannelException | UnsupportedOperationException | IOException e) {
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    Ranges.check(offset, length);
    checkWritable();
    return locked(() -> false);
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    Ranges.checkLimit(offset, limit);
    return locked(() -> limit > Long.MAX_VALUE - offset ? Long.MAX_VALUE : offset + limit);
  }

  @Override
  public String name() {
    return path == null ? "channel" : path.toString();
  }

  @Override
  public Object key() {
    return key == null ? channel : key;
  }

  @Override
  public Optional<Path> path() {
    return Optional.ofNullable(path);
  }

  /** Closes the channel if it was opened here. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closed = true;
      if (path != null) {
        channel.close();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return name();
  }

  private void checkWritable() throws IOException {
    locked(() -> true);
    if (!canWrite()) {
      throw new NonWritableChannelException();
    }
  }

  private void changing(Action<Boolean> action) throws IOException {
    checkWritable();
    try {
      locked(action);
    } finally {
      durability.markWritten();
    }
  }

  private <T> T locked(Action<T> action) throws IOException {
    lock.lock();
    boolean interrupted = Thread.interrupted();
    try {
      if (closed) {
        throw new ClosedChannelException();
      }
      return action.run();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      lock.unlock();
    }
  }
}
