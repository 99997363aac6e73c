package io.vdisk.backend.tap.disk;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * A disk as guests find it that are processes of this machine. Any thread may call.
 *
 * @param disk while it is open
 * @param served hears of each ring
 */
public record SharedFileDisk(TapDisk disk, Consumer<ServedRing> served)
    implements SharedFileListener.Disk {
  /** The same where nobody asks who came. */
  public SharedFileDisk(TapDisk disk) {
    this(disk, ring -> {});
  }

  @Override
  public DiskInfo info() {
    return disk.info();
  }

  @Override
  public void serve(TapTransport guest) throws IOException {
    served.accept(disk.serve(guest));
  }
}
