package io.vdisk.host.linux;

import static java.lang.foreign.MemorySegment.NULL;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
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
    boolean follow = !Arrays.asList(links).contains(LinkOption.NOFOLLOW_LINKS);
    return new LinuxFile(Descriptor.open(path, writable, follow));
  }
}
