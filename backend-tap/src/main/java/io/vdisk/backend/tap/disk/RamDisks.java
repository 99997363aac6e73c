package io.vdisk.backend.tap.disk;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * The RAM disks of a process. All who open the same text have the same disk, each seeing the
 * others' writes; the last one who closes it ends it, and its content goes.
 *
 * <pre>
 * ram:64M        64 MiB of zeroes; a number alone is bytes
 * ram:64M:swap   the same, another disk
 * ram:/path      begins as the file, whose bytes are taken as they are; never saved
 * </pre>
 *
 * <p>Zeroes take no memory, neither at first nor after a discard. Any thread may call.
 */
public final class RamDisks {
  private static final int STEP = 64 << 10;
  private static final ByteBuffer ZEROES = ByteBuffer.allocate(STEP).asReadOnlyBuffer();

  /** Opens the file as which a disk begins; tests have their own. */
  @FunctionalInterface
  interface Source {
    HostFile open(Path file) throws IOException;
  }

  private final Map<String, Shared> disks = new HashMap<>(); // guarded by this
  private long bytes; // of all of them; guarded by this
  private final long mostBytes;
  private final Source source;

  /**
   * No disks yet.
   *
   * @param mostBytes of all of them together
   */
  public RamDisks(long mostBytes) {
    this(mostBytes, file -> LocalFile.open(file, false, true, PageCache.DROPPED));
  }

  RamDisks(long mostBytes, Source source) {
    this.mostBytes = mostBytes;
    this.source = source;
  }

  /** One disk, once it is made, and how many want it. */
  private static final class Shared {
    final CompletableFuture<BlockDevice> device = new CompletableFuture<>();
    long bytes; // guarded by the disks, as is the next
    int users;
  }

  /**
   * Opens a disk for one more user. Who opens the same disk waits until its file is loaded, and
   * nobody else does.
   *
   * @param writable whether through this device it may be written
   */
  BlockDevice open(DiskDescriptor disk, boolean writable) throws IOException {
    String text = disk.path();
    Shared shared;
    boolean isFirst;
    synchronized (this) {
      isFirst = !disks.containsKey(text);
      shared = disks.computeIfAbsent(text, unused -> new Shared());
      shared.users++;
    }
    if (isFirst) {
      make(disk, shared);
    }
    boolean isOpen = false;
    try {
      BlockDevice device = Uninterruptibles.getUninterruptibly(shared.device);
      isOpen = true;
      return new RamDevice(device, writable, () -> leave(text, shared));
    } catch (ExecutionException e) {
      throw DiskThread.failure(e);
    } finally {
      if (!isOpen) {
        leave(text, shared);
      }
    }
  }

  private synchronized void leave(String text, Shared shared) throws IOException {
    if (--shared.users == 0) {
      disks.remove(text, shared);
      bytes -= shared.bytes;
      if (!shared.device.isCompletedExceptionally()) {
        shared.device.join().close();
      }
    }
  }

  /** Who comes after a failure tries again. */
  private void make(DiskDescriptor disk, Shared shared) {
    try {
      shared.device.complete(made(disk, shared));
    } catch (IOException | RuntimeException | Error e) {
      synchronized (this) {
        disks.remove(disk.path(), shared);
      }
      shared.device.completeExceptionally(e);
    }
  }

  private BlockDevice made(DiskDescriptor disk, Shared shared) throws IOException {
    return RamSize.isIn(disk.path())
        ? empty(disk, shared, RamSize.parse(disk.path()).bytes())
        : loaded(disk, shared);
  }

  private BlockDevice empty(DiskDescriptor disk, Shared shared, long size) throws IOException {
    synchronized (this) {
      long left = mostBytes - bytes;
      if (size > left) {
        throw new DiskException(
            Errno.ENOMEM,
            disk + " has " + size + " bytes, and " + left + " are left for RAM disks");
      }
      bytes += size;
      shared.bytes = size;
    }
    return Images.ram(size);
  }

  private BlockDevice loaded(DiskDescriptor disk, Shared shared) throws IOException {
    try (HostFile file = source.open(disk.hostPath())) {
      long size = file.size() / DiskInfo.SECTOR * DiskInfo.SECTOR;
      if (size == 0) {
        throw new DiskException(Errno.EINVAL, disk + " has no sector of 512 bytes");
      }
      BlockDevice device = empty(disk, shared, size);
      try {
        load(file, device);
        return device;
      } catch (IOException | RuntimeException | Error e) {
        try (device) {
          throw e;
        }
      }
    }
  }

  private static void load(HostFile file, BlockDevice device) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(STEP);
    long size = device.size();
    long offset = 0;
    while (offset < size) {
      long end = file.dataEnd(offset, size - offset);
      if (end < 0) {
        offset = -end;
      } else {
        buffer.clear().limit((int) Math.min(STEP - offset % STEP, end - offset));
        file.readPadded(buffer, offset);
        buffer.flip();
        if (buffer.mismatch(ZEROES.duplicate().limit(buffer.limit())) >= 0) {
          device.write(buffer.duplicate(), offset);
        }
        offset += buffer.limit();
      }
    }
  }
}
