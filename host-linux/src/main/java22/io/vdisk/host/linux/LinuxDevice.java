package io.vdisk.host.linux;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * A character device by the system calls of Linux. It is waited for together with an event counter
 * ({@code eventfd}), by which it is woken.
 */
final class LinuxDevice implements NativeDevice {
  // struct pollfd: descriptor s32, events s16 at 4, what happened s16 at 6. Source: poll(2).
  private static final int POLLFD_BYTES = 8;
  private static final int EVENTS = 4;
  private static final int HAPPENED = 6;
  private static final short POLLIN = 1;

  private final Descriptor device;
  private final Descriptor counter;
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment polled = arena.allocate(2 * POLLFD_BYTES, POLLFD_BYTES);
  private final MemorySegment count = arena.allocate(Long.BYTES, Long.BYTES);

  private LinuxDevice(Descriptor device, Descriptor counter) {
    this.device = device;
    this.counter = counter;
  }

  static LinuxDevice open(Path path) throws IOException {
    Descriptor device = Descriptor.open(path, true, 0);
    try {
      return new LinuxDevice(device, Descriptor.eventCounter());
    } catch (IOException e) {
      device.close();
      throw e;
    }
  }

  @Override
  public int control(long request, long argument) throws IOException {
    return checkControl(device.call(SystemCall.IOCTL, request, argument, 0), request);
  }

  @Override
  public int control(long request, ByteBuffer argument) throws IOException {
    MemorySegment memory = MemorySegment.ofBuffer(argument);
    try {
      return checkControl(device.call(SystemCall.IOCTL, request, memory.address(), 0), request);
    } finally {
      Reference.reachabilityFence(argument); // of its memory only the address is known below
    }
  }

  private static int checkControl(long result, long request) throws NativeException {
    if (result < 0) {
      throw refusal("control call " + request, result);
    }
    return (int) result;
  }

  private static NativeException refusal(String what, long result) {
    return new NativeException((int) -result, what + ": " + Errno.failure(result).getMessage());
  }

  @Override
  public long address(ByteBuffer memory) {
    if (!memory.isDirect()) {
      throw new IllegalArgumentException("not in memory that the kernel sees: " + memory);
    }
    return MemorySegment.ofBuffer(memory).address() - memory.position();
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return moved(SystemCall.READ, dst);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    return moved(SystemCall.WRITE, src);
  }

  private int moved(SystemCall how, ByteBuffer buffer) throws IOException {
    MemorySegment memory = MemorySegment.ofBuffer(buffer);
    int moved = (int) Errno.check(device.call(how, memory, memory.byteSize(), 0, 0));
    buffer.position(buffer.position() + moved);
    return moved;
  }

  @Override
  public NativeMemory map(long offset, int length) throws IOException {
    long address = device.map(offset, length);
    if (address < 0) {
      throw refusal("mapping " + length + " bytes at " + offset, address);
    }
    return new LinuxMemory(address, length);
  }

  @Override
  public boolean await() throws IOException {
    ByteBuffer fields = polled.asByteBuffer().order(ByteOrder.nativeOrder());
    fields.putShort(EVENTS, POLLIN).putShort(POLLFD_BYTES + EVENTS, POLLIN);
    Errno.check(device.poll(counter, polled));
    if (fields.getShort(POLLFD_BYTES + HAPPENED) != 0) {
      Errno.check(counter.call(SystemCall.READ, count, count.byteSize(), 0, 0)); // to 0 again
    }
    return fields.getShort(HAPPENED) != 0;
  }

  @Override
  public void wake() {
    try (Arena own = Arena.ofConfined()) {
      MemorySegment one = own.allocate(Long.BYTES, Long.BYTES);
      one.asByteBuffer().order(ByteOrder.nativeOrder()).putLong(0, 1);
      counter.call(SystemCall.WRITE, one, one.byteSize(), 0, 0);
    } catch (IOException e) {
      // closed: nobody awaits any longer
    }
  }

  @Override
  public void close() throws IOException {
    device.refuse();
    wake();
    try (counter) {
      device.close(); // when nobody awaits any longer
    }
  }
}
