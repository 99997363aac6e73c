package io.vdisk.backend.tap;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A guest whose requests come through the kernel's module blktap: of Xen 3, {@code
 * /dev/xen/blktapN}, or blktap 2, {@code /dev/xen/blktap-2/blktapN}. The module is the front end of
 * a ring of one page, in the layout of the host, and maps the data of request {@code id}, segment
 * {@code s} behind it:
 *
 * <pre>
 *  page 0               the ring; its byte 16 is a message of the module (blktap 2)
 *  page 1 + 11 id + s   the page of that segment, id 0 to 31, while the request has no response
 * </pre>
 *
 * <p>A page of a request that has its response is gone: to touch it ends the JVM. So nobody does,
 * and a process serves one such disk. Requests appear in the ring when the device is polled, and
 * responses are seen when it is kicked, each time.
 *
 * <p>Sources: Xen 3.1, {@code drivers/xen/blktap/blktap.c}; Xen 4.0, {@code
 * tools/blktap2/include/blktap2.h}. No current kernel has these devices: this is built to the facts
 * of their sources, and tried on a device that tests simulate.
 */
public final class BlktapDevice extends TapTransport {
  /** Which of the two modules. */
  public enum Generation {
    /** That of Xen 3. */
    BLKTAP_1,

    /** That of Xen 4.0, later a module of its own. */
    BLKTAP_2
  }

  private static final int REQUESTS = 32;
  private static final int SEGMENTS = TapRequest.MOST_DIRECT_SEGMENTS;
  private static final int PAGES = 1 + REQUESTS * SEGMENTS;

  // Numbers of control calls, which these modules do not encode.
  private static final int KICK = 1;
  private static final int SET_MODE = 3;
  private static final int SEND_PID = 4;
  private static final int CREATE_DEVICE = 202;
  private static final int PAUSE = 204;
  private static final int RESUME = 206;

  /** Requests go to user space, and responses to the guest. */
  private static final int INTERPOSE = 3;

  // struct blktap2_params: name at 0, 256 bytes; sectors u64; bytes of a sector u64.
  private static final int PARAMETERS = 272;
  private static final int CAPACITY = 256;
  private static final int SECTOR_SIZE = 264;

  private static final int MESSAGE = 16;
  private static final byte PAUSE_MESSAGE = 1;
  private static final byte RESUME_MESSAGE = 2;
  private static final byte CLOSE_MESSAGE = 3;

  private final String name;
  private final Generation generation;
  private final NativeDevice device;
  private final NativeMemory memory;
  private final ByteBuffer pages;
  private final GuestPages data;

  private BlktapDevice(
      String name, Generation generation, NativeDevice device, NativeMemory memory) {
    this.name = name;
    this.generation = generation;
    this.device = device;
    this.memory = memory;
    this.pages = memory.buffer();
    this.data = new GuestPages(pages, BlktapDevice::page);
  }

  /**
   * Opens the device of a disk, and lets requests come.
   *
   * @param disk what the guest is told of it
   */
  public static BlktapDevice open(Path path, Generation generation, DiskInfo disk)
      throws IOException {
    return begin(path.toString(), generation, disk, device(path));
  }

  /** Opens a device of the kernel's modules, for the disk of one or for calls that control them. */
  @SuppressWarnings("exports") // for the module itself, which alone sees that interface
  public static NativeDevice device(Path path) throws IOException {
    return HostSystem.installed()
        .orElseThrow(
            () ->
                new IOException(path + " takes Java 22 or later, and native access for host-linux"))
        .openDevice(path);
  }

  /** The same with a device that is open, and belongs to the transport from now on. */
  @SuppressWarnings("exports") // for the module itself, which alone sees that interface
  public static BlktapDevice begin(
      String name, Generation generation, DiskInfo disk, NativeDevice device) throws IOException {
    Closeable open = device;
    try {
      NativeMemory memory = device.map(0, PAGES * TapRequest.PAGE_SIZE);
      open =
          () -> {
            try (device) {
              memory.close();
            }
          };
      if (generation == Generation.BLKTAP_1) {
        device.control(SEND_PID, ProcessHandle.current().pid());
        device.control(SET_MODE, INTERPOSE);
      } else {
        device.control(CREATE_DEVICE, parameters(name, disk));
      }
      return new BlktapDevice(name, generation, device, memory);
    } catch (IOException | RuntimeException e) {
      open.close();
      throw e;
    }
  }

  private static ByteBuffer parameters(String name, DiskInfo disk) {
    ByteBuffer parameters = ByteBuffer.allocateDirect(PARAMETERS).order(ByteOrder.nativeOrder());
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    parameters.put(0, bytes, 0, Math.min(bytes.length, CAPACITY - 1));
    parameters.putLong(CAPACITY, disk.sectors());
    return parameters.putLong(SECTOR_SIZE, TapRequest.SECTOR_SIZE);
  }

  /** No guest comes back to this ring after its server was killed: the kernel ends it. */
  @Override
  long session() {
    return ProcessHandle.current().pid();
  }

  @Override
  ByteBuffer ring() {
    return pages.slice(0, TapRequest.PAGE_SIZE);
  }

  @Override
  RingAbi abi() {
    return RingAbi.ofHost();
  }

  /** The module hands on direct requests only. */
  @Override
  boolean readSegments(TapRequest request) {
    return false;
  }

  @Override
  void fetch(RequestBatch batch) {
    data.fetch(batch);
  }

  private static int page(TapRequest request, int segment) {
    long id = request.id();
    return id >= 0 && id < REQUESTS ? 1 + (int) id * SEGMENTS + segment : GuestPages.NONE;
  }

  @Override
  void store(RequestBatch batch, int from, int to) {
    data.store(batch, from, to);
  }

  @Override
  boolean await() throws IOException {
    boolean unused = device.await();
    return pages.get(MESSAGE) != CLOSE_MESSAGE || generation == Generation.BLKTAP_1;
  }

  @Override
  boolean asksForCalm() {
    byte message = pages.get(MESSAGE);
    return generation == Generation.BLKTAP_2
        && (message == PAUSE_MESSAGE || message == RESUME_MESSAGE);
  }

  @Override
  void isCalm() throws IOException {
    boolean isPause = pages.get(MESSAGE) == PAUSE_MESSAGE;
    pages.put(MESSAGE, (byte) 0);
    device.control(isPause ? PAUSE : RESUME, 0);
  }

  @Override
  void wake() {
    device.wake();
  }

  /** The module looks at responses only when it is kicked, whatever its event field says. */
  @Override
  boolean isAlwaysRung() {
    return true;
  }

  @Override
  void ringBell() throws IOException {
    device.control(KICK, 0);
  }

  /** The module takes the size of a disk once. */
  @Override
  void announceSize(long bytes) {}

  @Override
  public void close() throws IOException {
    try (device) {
      memory.close();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
