package io.vdisk.backend.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.Semaphore;

/**
 * A guest in this process: its ring and one page of data are memory that a server is given as a
 * transport, one after the other. One thread plays the guest.
 */
public final class MemoryGuest {
  private static final int PAGE = 4096;

  private final ByteBuffer memory = direct(PAGE);
  private final ByteBuffer data = direct(PAGE);
  private final FrontRing ring = new FrontRing(memory, RingAbi.X86_64);
  private final Semaphore answers = new Semaphore(0);
  private volatile Transport server;
  private volatile boolean hasLeft;

  private static ByteBuffer direct(int length) {
    return ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
  }

  /** What a server is given. */
  public TapTransport transport(XenRing named) {
    Transport made = new Transport(named);
    server = made;
    return made;
  }

  /** Whether the last transport is open. */
  public boolean isServed() {
    return server != null && !server.isClosed;
  }

  /** Breaks the rules: the server gives the ring up. */
  public void breakRing() {
    memory.putInt(0, 1 << 20);
    server.wake();
  }

  /** Writes one page; the status. */
  public int write(long sector, int value) throws InterruptedException {
    for (int i = 0; i < PAGE; i++) {
      data.put(i, (byte) value);
    }
    ring.next().operation(1, sector).segment(0, 0, 7);
    return answer();
  }

  /** Reads one page; its first byte. */
  public int read(long sector) throws IOException, InterruptedException {
    ring.next().operation(0, sector).segment(0, 0, 7);
    int status = answer();
    if (status != 0) {
      throw new IOException("read failed with " + status);
    }
    return data.get(0);
  }

  /** Flushes; the status. */
  public int flush() throws InterruptedException {
    ring.next().operation(3, 0);
    return answer();
  }

  private int answer() throws InterruptedException {
    long unused = ring.put();
    ring.publish();
    server.wake();
    while (ring.waiting() == 0) {
      if (ring.mayAwaitResponses()) {
        answers.acquire();
      }
    }
    return ring.take().status();
  }

  private final class Transport extends TapTransport {
    private final XenRing named;
    private final GuestPages pages = new GuestPages(data, (request, segment) -> 0);
    private final Semaphore bell = new Semaphore(0);
    private volatile boolean isClosed;

    Transport(XenRing named) {
      this.named = named;
    }

    @Override
    long session() {
      return named.hashCode();
    }

    @Override
    ByteBuffer ring() {
      return memory;
    }

    @Override
    RingAbi abi() {
      return RingAbi.X86_64;
    }

    @Override
    boolean readSegments(TapRequest request) {
      return false;
    }

    @Override
    void fetch(RequestBatch batch) {
      pages.fetch(batch);
    }

    @Override
    void store(RequestBatch batch, int from, int to) {
      pages.store(batch, from, to);
    }

    @Override
    boolean await() {
      bell.acquireUninterruptibly();
      return !hasLeft;
    }

    @Override
    void wake() {
      bell.release();
    }

    @Override
    void ringBell() {
      answers.release();
    }

    @Override
    void announceSize(long bytes) {
      // the store tells
    }

    @Override
    public void close() {
      isClosed = true;
    }

    @Override
    public String toString() {
      return named.toString();
    }
  }
}
