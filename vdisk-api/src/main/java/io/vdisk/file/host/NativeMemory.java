package io.vdisk.file.host;

import java.io.Closeable;
import java.nio.ByteBuffer;

/**
 * Memory of a device, mapped. After {@link #close} a use of the buffer throws {@link
 * IllegalStateException}; but where the device takes a page back meanwhile, a use ends the JVM.
 */
public interface NativeMemory extends Closeable {
  /** The memory, from 0 to its capacity, in the byte order of the host. */
  ByteBuffer buffer();

  /** Unmaps it. Nobody may be using it. */
  @Override
  void close();
}
