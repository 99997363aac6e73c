package io.vdisk.backend.tap.xen;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The rights to serve devices: each has one process of this domain at a time, and loses it when it
 * ends, however it ends. They are locks on bytes of one file, by POSIX, which closing that file
 * drops: so a process has one object of this kind. Any thread may call.
 */
public final class DeviceLocks implements Closeable {
  private static final String FILE = "devices.lock";

  /** Bits of a domain's number, and of a device's. */
  private static final int DOMAIN_BITS = 16;

  private static final int DEVICE_BITS = 31;

  private final FileChannel file;

  private DeviceLocks(FileChannel file) {
    this.file = file;
  }

  /** Those of a folder, which is made if it is not there. */
  public static DeviceLocks open(Path folder) throws IOException {
    Files.createDirectories(folder);
    return new DeviceLocks(
        FileChannel.open(
            folder.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE));
  }

  /** Takes one, which closing it gives back; empty if somebody has it. */
  Optional<Closeable> take(BackendDevice device) throws IOException {
    try {
      FileLock lock = file.tryLock(place(device), 1, false);
      return lock == null ? Optional.empty() : Optional.of(lock::release);
    } catch (OverlappingFileLockException e) {
      return Optional.empty(); // this process has it
    }
  }

  /** Whether nobody has it. */
  boolean isFree(BackendDevice device) throws IOException {
    Optional<Closeable> taken = take(device);
    if (taken.isPresent()) {
      taken.get().close();
    }
    return taken.isPresent();
  }

  /** Types whose hash is the same share a lock, at worst. */
  private static long place(BackendDevice device) {
    long type = device.type().hashCode() & 0x7fff;
    return (type << DOMAIN_BITS | device.domain()) << DEVICE_BITS | device.device();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
