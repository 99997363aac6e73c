package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The event channel of a guest as {@code /dev/xen/evtchn} shows it: an event masks the port until
 * its number is written back.
 */
final class SimulatedEvents implements NativeDevice {
  static final int PORT = 22;
  private static final int OURS = 77;
  private static final int EINVAL = 22;

  // Under this object's monitor.
  private boolean isPending;
  private boolean isMasked;
  private boolean isWoken;
  private int rings;
  private boolean isClosed;
  private Runnable beforeCalls = () -> {};

  /** The guest rings. */
  synchronized void ring() {
    isPending = true;
    notifyAll();
  }

  /** How often the guest's bell rang; returns when it was more often than so. */
  synchronized int awaitRing(int before) throws InterruptedException {
    while (rings <= before) {
      wait();
    }
    return rings;
  }

  /** What is done before the other end's bell is rung, and when whoever awaits is woken. */
  synchronized void beforeCalls(Runnable step) {
    beforeCalls = step;
  }

  synchronized int rings() {
    return rings;
  }

  synchronized boolean isClosed() {
    return isClosed;
  }

  @Override
  public int control(long request, long argument) {
    throw new AssertionError("no such call: " + request);
  }

  @Override
  public synchronized int control(long request, ByteBuffer argument) throws NativeException {
    ByteBuffer structure = argument.slice().order(ByteOrder.nativeOrder());
    if (request == 0x84501 && structure.remaining() == 8) {
      if (structure.getInt(0) != SimulatedXen.DOMAIN || structure.getInt(4) != PORT) {
        throw new NativeException(EINVAL, "Invalid argument");
      }
      isPending = true; // as Xen does: something may have been missed
      isMasked = false;
      isWoken = false;
      isClosed = false; // bound again by another one
      return OURS;
    }
    if (request != 0x44504 || structure.remaining() != 4 || structure.getInt(0) != OURS) {
      throw new AssertionError("no such call: " + request);
    }
    beforeCalls.run();
    rings++;
    notifyAll();
    return 0;
  }

  @Override
  public synchronized boolean await() {
    try {
      while (!(isPending && !isMasked) && !isWoken) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    isWoken = false;
    beforeCalls.run();
    return isPending && !isMasked;
  }

  @Override
  public synchronized int read(ByteBuffer dst) {
    isPending = false;
    isMasked = true;
    dst.order(ByteOrder.nativeOrder()).putInt(OURS);
    return Integer.BYTES;
  }

  @Override
  public synchronized int write(ByteBuffer src) {
    if (src.order(ByteOrder.nativeOrder()).getInt() != OURS) {
      throw new AssertionError("not our port");
    }
    isMasked = false;
    notifyAll();
    return Integer.BYTES;
  }

  @Override
  public NativeMemory map(long offset, int length) {
    throw new AssertionError("not mapped");
  }

  @Override
  public synchronized void wake() {
    isWoken = true;
    notifyAll();
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    notifyAll();
  }
}
