package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.SharedFileDisk;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The socket at which guests come to a disk while it is open. It has the disk's name, not the
 * process's, so that a guest finds who took the place of a process that was killed. Any thread may
 * call; a disk may be closed by force while another thread opens it.
 */
final class GuestSocket {
  private final TapDisk disk;
  private final Optional<Path> path;
  private @Nullable SharedFileListener listener; // guarded by this

  /** At {@code path}; nowhere if it is empty. */
  GuestSocket(TapDisk disk, Optional<Path> path) {
    this.disk = disk;
    this.path = path;
  }

  /** Lets guests come, if the disk is still open. If it cannot, the disk is closed again. */
  synchronized void open() throws DiskException {
    close();
    if (path.isEmpty() || disk.name().isEmpty()) {
      return;
    }
    try {
      // Whoever has the minor, has its socket: that of a process that was killed is in the way.
      Files.deleteIfExists(path.get());
      listener = SharedFileListener.open(path.get(), new SharedFileDisk(disk));
    } catch (IOException e) {
      disk.close(true);
      throw DiskException.of(e);
    }
  }

  /** Lets no further guest come, if nobody has opened the disk again. */
  synchronized void closeUnlessOpen() throws DiskException {
    if (disk.name().isEmpty()) {
      close();
    }
  }

  /** Lets no further guest come. */
  synchronized void close() throws DiskException {
    SharedFileListener open = listener;
    listener = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        throw DiskException.of(e);
      }
    }
  }
}
