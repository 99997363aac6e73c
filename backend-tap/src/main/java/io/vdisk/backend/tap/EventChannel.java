package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An event channel to another domain: a bell that either end rings. It is the only one of its open
 * device {@code /dev/xen/evtchn}, so that whatever can be read there is this one's.
 *
 * <p>An event masks its port; nothing more comes until the port's number is written back. So it is
 * written back before the caller looks at what the bell was rung for, and no event is lost. Where
 * the other end has gone a ring of the bell reaches nobody, and says nothing.
 *
 * <p>One thread at a time awaits; any thread notifies and wakes.
 *
 * <p>Sources: Linux, {@code include/uapi/xen/evtchn.h}, {@code drivers/xen/evtchn.c}.
 */
final class EventChannel implements Closeable {
  // _IOC(_IOC_NONE, 'E', number, size of the structure).
  /** {@code u32 domain, u32 port there}; returns our port. */
  static final long BIND_INTERDOMAIN = 0x0008_4501;

  /** {@code u32 port}. */
  static final long NOTIFY = 0x0004_4504;

  private final NativeDevice device;
  private final ByteBuffer port; // never changed, so that any thread may hand it to the device
  private final ByteBuffer rung = words(1);

  private EventChannel(NativeDevice device, int port) {
    this.device = device;
    this.port = words(1).putInt(0, port);
  }

  /**
   * Binds a port of ours to one that another domain has for us.
   *
   * @param device is the channel's from now on; after an exception still the caller's
   */
  static EventChannel bind(NativeDevice device, int domain, int port) throws IOException {
    ByteBuffer ends = words(2).putInt(0, domain).putInt(4, port);
    try {
      return new EventChannel(device, device.control(BIND_INTERDOMAIN, ends));
    } catch (IOException e) {
      String ours = "domain " + domain + " has no event channel for us at its port ";
      throw new IOException(ours + Integer.toUnsignedString(port) + ": " + e.getMessage(), e);
    }
  }

  private static ByteBuffer words(int count) {
    return ByteBuffer.allocateDirect(count * Integer.BYTES).order(ByteOrder.nativeOrder());
  }

  /**
   * Sleeps until the other end notified or {@link #wake} was called; what happened since the last
   * call counts.
   */
  void await() throws IOException {
    if (device.await() && device.read(rung.clear()) > 0) {
      int unused = device.write(rung.flip());
    }
  }

  /** Rings the other end's bell. */
  void notifyOther() throws IOException {
    int unused = device.control(NOTIFY, port.duplicate());
  }

  /** Wakes whoever awaits, or will. */
  void wake() {
    device.wake();
  }

  /** Gives the port back, and closes the device. */
  @Override
  public void close() throws IOException {
    device.close();
  }
}
