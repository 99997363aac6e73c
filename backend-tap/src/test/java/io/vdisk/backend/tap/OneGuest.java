package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** A disk for one guest; tells who serves it. */
record OneGuest(BlockDevice disk, ServeOptions options, CompletableFuture<TapServer> server)
    implements SharedFileListener.Disk {
  @Override
  public DiskInfo info() {
    return DiskInfo.of(disk.size(), options.isReadOnly());
  }

  @Override
  public void serve(TapTransport guest) throws IOException {
    server.complete(TapServer.start(guest, disk, options));
  }
}
