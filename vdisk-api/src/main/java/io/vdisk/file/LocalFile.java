package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A file or block device of the host. Fastest with direct buffers.
 *
 * <p>Locked unless told otherwise, as QEMU locks images: many may read or one may write, in this
 * process and in others; it is refused with {@link FileLockedException}. A reader that may write to
 * the file has it open for writing all the same, because only so can it see a QEMU that writes; it
 * writes nothing. Locks are the operating system's, which drops them when other code in this
 * process opens and closes the same file, unless {@code host-linux} is in use.
 */
public final class LocalFile implements HostFile {
  /** Changes the file, or says that the host cannot. */
  private interface Change {
    boolean make() throws IOException;
  }

  private final FileRegistry registry;
  private final OpenFile file;
  private final NativeFile descriptor;
  private final Transfers transfers;
  private final Path path;
  private final OpenFile.Use use;
  private final AtomicBoolean closed = new AtomicBoolean();

  LocalFile(
      FileRegistry registry, OpenFile file, NativeFile descriptor, Path path, OpenFile.Use use) {
    this.registry = registry;
    this.file = file;
    this.descriptor = descriptor;
    this.transfers = new Transfers(descriptor, path);
    this.path = path;
    this.use = use;
  }

  /** Opens a file that exists, locked. */
  public static HostFile open(Path path, boolean writable) throws IOException {
    return open(path, writable, true);
  }

  /**
   * Opens a file that exists. One of another file system than the default is never locked.
   *
   * @param links whether a symbolic link is refused; otherwise it is followed
   * @throws FileLockedException if somebody else uses it
   */
  public static HostFile open(Path path, boolean writable, boolean locked, LinkOption... links)
      throws IOException {
    return open(path, writable, locked, PageCache.USED, links);
  }

  /**
   * Opens a file that exists. One of another file system than the default is never locked, nor in a
   * page cache.
   *
   * @param links whether a symbolic link is refused; otherwise it is followed
   * @throws FileLockedException if somebody else uses it
   */
  public static HostFile open(
      Path path, boolean writable, boolean locked, PageCache cache, LinkOption... links)
      throws IOException {
    return FileRegistry.isDefault(path)
        ? FileRegistry.INSTANCE.open(path, writable, locked, cache, links)
        : ChannelFile.open(path, writable, links);
  }

  /**
   * Opens a file that exists past the page cache or not at all, see {@link PageCache#BYPASSED}.
   *
   * @param links whether a symbolic link is refused; otherwise it is followed
   * @throws IOException also if the file system, the Java version or the lack of {@code host-linux}
   *     does not let it
   * @throws FileLockedException if somebody else uses it
   */
  public static HostFile openDirect(
      Path path, boolean writable, boolean locked, LinkOption... links) throws IOException {
    if (!FileRegistry.isDefault(path)) {
      throw new IOException(path + ": its file system knows no page cache to be passed by");
    }
    return FileRegistry.INSTANCE.open(
        path, new OpenFile.Use(writable, locked, PageCache.BYPASSED), links);
  }

  /**
   * Makes an empty file and opens it for reading and writing, locked.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is something of this name
   */
  public static HostFile create(Path path) throws IOException {
    return create(path, PageCache.USED);
  }

  /**
   * Makes an empty file and opens it for reading and writing, locked.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is something of this name
   */
  public static HostFile create(Path path, PageCache cache) throws IOException {
    Files.createFile(path);
    boolean opened = false;
    try {
      HostFile file = open(path, true, true, cache, LinkOption.NOFOLLOW_LINKS);
      opened = true;
      return file;
    } finally {
      if (!opened) {
        Files.deleteIfExists(path);
      }
    }
  }

  @Override
  public int read(ByteBuffer dst, long offset) throws IOException {
    Ranges.checkOffset(offset);
    checkOpen();
    if (offset > Long.MAX_VALUE - dst.remaining()) {
      return 0; // no host has files that long, nor takes the question
    }
    return transfers.read(dst, offset);
  }

  @Override
  public void write(ByteBuffer src, long offset) throws IOException {
    Ranges.checkOffset(offset);
    checkWritable();
    if (offset > Long.MAX_VALUE - src.remaining()) {
      throw new IOException(name() + ": no file reaches to " + offset + "+" + src.remaining());
    }
    try {
      transfers.write(src, offset);
    } finally {
      file.durability().markWritten(); // a failed one may have left something too
    }
  }

  @Override
  public long size() throws IOException {
    checkOpen();
    return descriptor.size();
  }

  /** A device's is its size, which can change: a logical volume can be extended at any time. */
  @Override
  public long capacity() throws IOException {
    return isDevice() ? size() : Long.MAX_VALUE;
  }

  private boolean isDevice() {
    return file.key() instanceof FileRegistry.DeviceKey;
  }

  /** A device cannot be resized, except to the size that it has. */
  @Override
  public void resize(long size) throws IOException {
    Ranges.checkLength(size);
    checkWritable();
    if (isDevice()) {
      long fixed = descriptor.size();
      if (size != fixed) {
        throw new FileSystemException(name(), null, "a device of " + fixed + " bytes, not " + size);
      }
      return;
    }
    try {
      descriptor.resize(size);
    } finally {
      file.durability().markWritten();
    }
  }

  @Override
  public void flush() throws IOException {
    checkOpen();
    file.flush(name());
  }

  @Override
  public boolean zero(long offset, long length, boolean keepSpace) throws IOException {
    Ranges.check(offset, length);
    return changed(() -> descriptor.zero(offset, length, keepSpace));
  }

  @Override
  public boolean allocate(long offset, long length) throws IOException {
    Ranges.check(offset, length);
    return changed(() -> length == 0 || descriptor.allocate(offset, length));
  }

  @Override
  public long share(HostFile source, long sourceOffset, long offset, long length)
      throws IOException {
    Ranges.check(sourceOffset, length);
    Ranges.check(offset, length);
    checkWritable();
    if (length == 0 || !(source instanceof LocalFile other)) {
      return 0;
    }
    other.checkOpen();
    boolean shared =
        changed(() -> descriptor.share(other.descriptor.bare(), sourceOffset, offset, length));
    return shared ? length : 0;
  }

  /** A change that the host may not be able to make: then there is nothing to flush. */
  private boolean changed(Change change) throws IOException {
    checkWritable();
    boolean untouched = false;
    try {
      untouched = !change.make();
      return !untouched;
    } finally {
      if (!untouched) {
        file.durability().markWritten();
      }
    }
  }

  @Override
  public long dataEnd(long offset, long limit) throws IOException {
    Ranges.checkLimit(offset, limit);
    checkOpen();
    return descriptor.dataEnd(offset, limit);
  }

  @Override
  public void advise(Advice advice, long offset, long length) throws IOException {
    Ranges.check(offset, length);
    checkOpen();
    if (length > 0) {
      descriptor.advise(advice, offset, length);
    }
  }

  @Override
  public OptionalLong allocatedSize() throws IOException {
    checkOpen();
    return descriptor.allocatedSize();
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public boolean canWrite() {
    return use.writable();
  }

  @Override
  public boolean isLocked() {
    return use.locked();
  }

  @Override
  public PageCache pageCache() {
    return use.cache();
  }

  @Override
  public Object key() {
    return file.key();
  }

  @Override
  public Optional<Path> path() {
    return Optional.of(path);
  }

  /** Gives the lock back with the last user of the file; does not flush. */
  @Override
  public void close() throws IOException {
    if (!closed.getAndSet(true)) {
      registry.leave(file, use);
    }
  }

  @Override
  public String toString() {
    return name();
  }

  private void checkOpen() throws ClosedChannelException {
    if (closed.get()) {
      throw new ClosedChannelException();
    }
  }

  private void checkWritable() throws ClosedChannelException {
    checkOpen();
    if (!use.writable()) {
      throw new NonWritableChannelException();
    }
  }
}
