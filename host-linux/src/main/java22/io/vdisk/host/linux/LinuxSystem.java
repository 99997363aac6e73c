package io.vdisk.host.linux;

import static java.lang.foreign.MemorySegment.NULL;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Linux by its system calls.
 *
 * <p>Available where native access is enabled for this module ({@code
 * --enable-native-access=io.vdisk.host.linux}, or {@code ALL-UNNAMED} on the class path): elsewhere
 * the JVM would warn of the first call on standard error, and later versions refuse it.
 */
public final class LinuxSystem implements HostSystem {
  /** The library's buffers lie at multiples of it. */
  private static final int MOST_ALIGNMENT = 4096;

  /** For the service loader. */
  public LinuxSystem() {}

  @Override
  public boolean isAvailable() {
    return LinuxSystem.class.getModule().isNativeAccessEnabled()
        && System.getProperty("os.name", "").equals("Linux")
        && Processor.CURRENT.isPresent()
        && answers();
  }

  /** Whether the kernel is there, and takes the numbers for what they are meant. */
  private static boolean answers() {
    try {
      int none = -1;
      return SystemCall.LSEEK.run(none, NULL, Whence.END.number(), 0, 0) == -Errno.EBADF;
    } catch (LinkageError | RuntimeException e) {
      return false; // a JVM that links no functions, or a C library without this one
    }
  }

  @Override
  public NativeFile open(Path path, boolean writable, LinkOption... links) throws IOException {
    return new LinuxFile(Descriptor.open(path, writable, flags(links)), 1);
  }

  private static int flags(LinkOption... links) {
    boolean follow = !Arrays.asList(links).contains(LinkOption.NOFOLLOW_LINKS);
    return follow ? 0 : Processor.CURRENT.orElseThrow().noFollow();
  }

  @Override
  public NativeFile openDirect(Path path, boolean writable, LinkOption... links)
      throws IOException {
    int direct = Processor.CURRENT.orElseThrow().direct();
    Descriptor descriptor = Descriptor.open(path, writable, flags(links) | direct);
    boolean usable = false;
    try {
      int alignment = FileStatus.directAlignment(descriptor);
      usable = alignment <= MOST_ALIGNMENT;
      if (!usable) {
        throw new FileSystemException(
            path.toString(), null, "past the page cache it moves " + alignment + " bytes at least");
      }
      return new LinuxFile(descriptor, alignment);
    } finally {
      if (!usable) {
        descriptor.close();
      }
    }
  }

  @Override
  public NativeDevice openDevice(Path path) throws IOException {
    return LinuxDevice.open(path);
  }
}
