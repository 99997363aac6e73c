package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import io.vdisk.file.PageCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

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

  private final Map<String, Shared> disks = new HashMap<>(); // guarded by this
  private long bytes; // of all of them; guarded by this
  private final long mostBytes;

  /**
   * No disks yet.
   *
   * @param mostBytes of all of them together
   */
  public RamDisks(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** One disk, and how many have it open; guarded by the disks. */
  private static final class Shared {
    final BlockDevice device;
    int users;

    Shared(BlockDevice device) {
      this.device = device;
    }
  }

  /**
   * Opens a disk for one more user.
   *
   * @param writable whether through this device it may be written
   */
  synchronized BlockDevice open(DiskDescriptor disk, boolean writable) throws IOException {
    String text = disk.path();
    Shared shared = disks.get(text);
    if (shared == null) {
      shared = new Shared(made(disk));
      disks.put(text, shared);
      bytes += shared.device.size();
    }
    shared.users++;
    return new RamDevice(shared.device, writable, () -> leave(text));
  }

  private synchronized void leave(String text) throws IOException {
    Shared shared = disks.get(text);
    if (shared == null) {
      throw new IllegalStateException("ram:" + text + " is not open");
    }
    if (--shared.users == 0) {
      disks.remove(text);
      bytes -= shared.device.size();
      shared.device.close();
    }
  }

  private BlockDevice made(DiskDescriptor disk) throws IOException {
    return RamSize.isIn(disk.path())
        ? empty(disk, RamSize.parse(disk.path()).bytes())
        : loaded(disk);
  }

  private BlockDevice empty(DiskDescriptor disk, long size) throws IOException {
    long left = mostBytes - bytes;
    if (size > left) {
      throw new DiskException(
          Errno.ENOMEM, disk + " has " + size + " bytes, and " + left + " are left for RAM disks");
    }
    return Images.ram(size);
  }

  private BlockDevice loaded(DiskDescriptor disk) throws IOException {
    try (HostFile file = LocalFile.open(disk.hostPath(), false, true, PageCache.DROPPED)) {
      long size = file.size() / DiskInfo.SECTOR * DiskInfo.SECTOR;
      if (size == 0) {
        throw new DiskException(Errno.EINVAL, disk + " has no sector of 512 bytes");
      }
      BlockDevice device = empty(disk, size);
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
