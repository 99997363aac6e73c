package io.vdisk.backend.tap.disk;

import io.vdisk.BlockDevice;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.TapServer;
import io.vdisk.backend.tap.TapTransport;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** A guest's ring as its disk sees it: what {@link TapServer} does. */
interface Ring extends Closeable {
  /** Takes no further request, and returns when none is in flight. */
  void pause() throws IOException;

  /**
   * Goes on from this device.
   *
   * @param writeLogs how the files begin in which it is kept what is written to it, if it is
   */
  void resume(BlockDevice device, Optional<Path> writeLogs) throws IOException;

  /** Tells the guest that the disk has another size. */
  void announceSize();

  /** Whether the guest is still there. */
  boolean isServing();

  /** Begins to serve a guest. */
  @FunctionalInterface
  interface Start {
    Ring start(TapTransport transport, BlockDevice device, ServeOptions options) throws IOException;
  }

  /** By a server of its own. */
  static Ring serve(TapTransport transport, BlockDevice device, ServeOptions options)
      throws IOException {
    TapServer server = TapServer.start(transport, device, options);
    return new Ring() {
      @Override
      public void pause() {
        server.pause();
      }

      @Override
      public void resume(BlockDevice next, Optional<Path> writeLogs) throws IOException {
        if (writeLogs.isPresent()) {
          server.resume(next, writeLogs.get());
        } else {
          server.resume(next);
        }
      }

      @Override
      public void announceSize() {
        server.announceSize();
      }

      @Override
      public boolean isServing() {
        return server.isServing();
      }

      @Override
      public void close() {
        server.close();
      }
    };
  }
}
