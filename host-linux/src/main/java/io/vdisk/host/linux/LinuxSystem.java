package io.vdisk.host.linux;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeFile;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Linux as seen by a JVM without the foreign-memory API, which came with Java 22: not at all. The
 * class of this name for younger ones is another.
 */
public final class LinuxSystem implements HostSystem {
  /** For the service loader. */
  public LinuxSystem() {}

  @Override
  public boolean isAvailable() {
    return false;
  }

  @Override
  public NativeFile open(Path path, boolean writable, LinkOption... links) {
    throw new UnsupportedOperationException("needs Java 22");
  }

  @Override
  public NativeFile openDirect(Path path, boolean writable, LinkOption... links) {
    return open(path, writable, links);
  }

  @Override
  public NativeDevice openDevice(Path path) {
    throw new UnsupportedOperationException("needs Java 22");
  }
}
