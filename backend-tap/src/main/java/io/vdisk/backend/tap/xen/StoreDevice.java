package io.vdisk.backend.tap.xen;

import io.vdisk.file.host.NativeDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The store behind the kernel's device {@code /dev/xen/xenbus}. Watches and transactions belong to
 * the open device. A request that the kernel itself refuses has no answer: writing it fails.
 *
 * <p>Source: Linux, {@code drivers/xen/xenbus/xenbus_dev_frontend.c}.
 */
final class StoreDevice implements StoreChannel {
  private final NativeDevice device;
  private final ByteBuffer sent =
      ByteBuffer.allocateDirect(StoreMessage.HEADER_BYTES + StoreMessage.MOST_BYTES);
  private final ByteBuffer read = ByteBuffer.allocateDirect(StoreMessage.MOST_BYTES);
  private volatile boolean isClosed;

  StoreDevice(NativeDevice device) {
    this.device = device;
    read.flip();
  }

  @Override
  public void write(ByteBuffer message) throws IOException {
    sent.clear();
    sent.put(message).flip();
    try {
      while (sent.hasRemaining()) {
        int unused = device.write(sent);
      }
    } catch (IOException e) {
      throw new StoreException(
          StoreException.EIO, "the kernel refuses a request to the store: " + e.getMessage(), e);
    }
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    while (!read.hasRemaining()) {
      if (isClosed) {
        return 0;
      }
      if (device.await()) {
        read.clear();
        int count = device.read(read);
        read.flip();
        if (count == 0) {
          return 0;
        }
      }
    }
    int count = Math.min(dst.remaining(), read.remaining());
    dst.put(read.slice(read.position(), count));
    read.position(read.position() + count);
    return count;
  }

  @Override
  public void close() throws IOException {
    isClosed = true;
    device.close();
  }
}
