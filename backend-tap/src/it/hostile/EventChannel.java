import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The front end's end of an event channel (Linux, {@code include/uapi/xen/evtchn.h}). */
final class EventChannel implements Closeable {
  private static final int BIND_UNBOUND_PORT = 0x044502;
  private static final int NOTIFY = 0x044504;

  private final NativeDevice device;
  private final int port;

  private EventChannel(NativeDevice device, int port) {
    this.device = device;
    this.port = port;
  }

  /** One that domain 0 may bind to. */
  static EventChannel open() throws IOException {
    NativeDevice device =
        HostSystem.installed().orElseThrow().openDevice(Path.of("/dev/xen/evtchn"));
    return new EventChannel(device, device.control(BIND_UNBOUND_PORT, GrantedPages.direct(4)));
  }

  int port() {
    return port;
  }

  void ring() throws IOException {
    ByteBuffer argument = GrantedPages.direct(4).putInt(0, port);
    int unused = device.control(NOTIFY, argument);
  }

  @Override
  public void close() throws IOException {
    device.close();
  }
}
