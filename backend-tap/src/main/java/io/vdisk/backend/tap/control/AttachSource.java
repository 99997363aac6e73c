package io.vdisk.backend.tap.control;

import java.io.Closeable;
import java.io.IOException;

/** Where a {@link BlktapDaemon} gets its requests from: a socket, or Xen's store. */
public interface AttachSource extends Closeable {
  /** Passes requests on until {@link #close}, which any thread may call. */
  void run(BlktapDaemon daemon) throws IOException;
}
