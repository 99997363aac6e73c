package io.vdisk.file.host;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An open character device of the host's, of the kind that is spoken to by control calls and shared
 * memory. Any thread may call, but one at a time waits.
 */
public interface NativeDevice extends Closeable {
  /**
   * Makes a control call ({@code ioctl}) with a number for its argument.
   *
   * @return what the device returns, 0 or more
   * @throws NativeException if it refuses
   */
  int control(long request, long argument) throws IOException;

  /**
   * Makes a control call whose argument is a structure.
   *
   * @param argument direct, from its position on; the device may change it
   * @return what the device returns, 0 or more
   * @throws NativeException if it refuses
   */
  int control(long request, ByteBuffer argument) throws IOException;

  /**
   * Where the first byte of a direct buffer lies in the memory of this process, whatever its
   * position: for a structure that points to further memory. The address means something only while
   * the buffer is reachable.
   *
   * @throws UnsupportedOperationException if this device's structures point nowhere
   */
  default long address(ByteBuffer memory) {
    throw new UnsupportedOperationException("this device is not told addresses");
  }

  /** Reads up to {@code dst.remaining()} bytes into a direct buffer; 0 at the end. */
  int read(ByteBuffer dst) throws IOException;

  /** Writes up to {@code src.remaining()} bytes of a direct buffer. */
  int write(ByteBuffer src) throws IOException;

  /**
   * Maps memory of the device, shared, for reading and writing.
   *
   * @param offset bytes, a multiple of the page
   * @throws NativeException if it refuses
   */
  NativeMemory map(long offset, int length) throws IOException;

  /**
   * Sleeps until the device has something to be read or has failed, or {@link #wake} was called.
   * Other calls of a driver's may hang on this one: it is made in any case.
   *
   * @return true if the device has something to be read
   */
  boolean await() throws IOException;

  /** Wakes who awaits, or will. */
  void wake();

  /** Wakes who awaits, and closes the device. Its mappings stay. */
  @Override
  void close() throws IOException;
}
