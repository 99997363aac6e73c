package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.Closeable;
import java.io.IOException;

/** Serves one guest's ring from one block device. Skeleton of the base branch. */
public final class TapServer implements Closeable {
  private TapServer() {}

  /**
   * Begins to serve. The server owns the transport and closes it; the device stays the caller's.
   */
  public static TapServer start(TapTransport transport, BlockDevice device, ServeOptions options)
      throws IOException {
    throw new UnsupportedOperationException();
  }

  /** Takes no further request, and returns when none is in flight. Again is harmless. */
  public void pause() throws IOException {
    throw new UnsupportedOperationException();
  }

  /** Goes on from this device, which may be another one than before. */
  public void resume(BlockDevice device) throws IOException {
    throw new UnsupportedOperationException();
  }

  /** True until the guest left, the ring was found broken, or the server was closed. */
  public boolean isServing() {
    throw new UnsupportedOperationException();
  }

  /** Answers what was taken, then lets go of the ring. The device is neither flushed nor closed. */
  @Override
  public void close() throws IOException {
    throw new UnsupportedOperationException();
  }
}
