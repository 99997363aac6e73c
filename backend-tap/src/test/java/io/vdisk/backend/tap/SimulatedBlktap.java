package io.vdisk.backend.tap;

import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The kernel's module blktap as user space sees it: the memory of 353 pages, control calls by small
 * numbers, requests that are published when the device is polled, and responses that are looked at
 * when it is kicked. The guest behind it asks one request at a time through {@link #ask}.
 */
final class SimulatedBlktap implements NativeDevice {
  private static final int PAGES = 353;
  private static final int KICK = 1;
  private static final int PAUSE = 204;
  private static final int ENOTTY = 25;

  private final ByteBuffer memory =
      ByteBuffer.allocateDirect(PAGES * 4096).order(ByteOrder.nativeOrder());
  private final FrontRing ring =
      new FrontRing(memory.slice(0, 4096).order(ByteOrder.nativeOrder()), RingAbi.ofHost());

  // Under this object's monitor.
  private final Deque<Consumer<FrontRequest>> asked = new ArrayDeque<>();
  private final List<FrontRing.Response> responses = new ArrayList<>();
  private final Map<Long, ByteBuffer> answered = new HashMap<>();
  private final List<String> controls = new ArrayList<>();
  private int unansweredAtPause;
  private Thread listener = Thread.currentThread(); // the last one that was told something
  private boolean isWoken;
  private boolean isClosed;
  private ByteBuffer parameters = ByteBuffer.allocate(0);

  /** Asks something; the request's id says where its pages are. */
  synchronized void ask(Consumer<FrontRequest> request) {
    asked.add(request);
    notifyAll();
  }

  /** A message of the module, blktap 2's. */
  synchronized void say(int message) {
    memory.put(16, (byte) message);
    isWoken = true;
    notifyAll();
  }

  /** The responses, when there are so many. */
  synchronized List<FrontRing.Response> responses(int count) throws InterruptedException {
    while (responses.size() < count) {
      wait();
    }
    return List.copyOf(responses);
  }

  /** What was called but for kicks, when there are so many. */
  synchronized List<String> controls(int count) throws InterruptedException {
    while (controls.size() < count) {
      wait();
    }
    return List.copyOf(controls);
  }

  ByteBuffer parameters() {
    return parameters;
  }

  /** The page of a segment of a request that has no response yet. */
  ByteBuffer page(int id, int segment) {
    return memory.slice((1 + id * 11 + segment) * 4096, 4096);
  }

  /** What the page of a segment held when the response was there: the guest has that. */
  synchronized ByteBuffer answered(long id, int segment) {
    return Objects.requireNonNull(answered.get(id), "no response").slice(segment * 4096, 4096);
  }

  /** Requests without response when a pause was confirmed. */
  synchronized int unansweredAtPause() {
    return unansweredAtPause;
  }

  /** Returns when whoever was told the last message waits for others, or has answered to it. */
  void awaitReaction(int controlsBefore) {
    while (!hasReacted(controlsBefore)) {
      Thread.onSpinWait();
    }
  }

  private synchronized boolean hasReacted(int controlsBefore) {
    boolean isTold = !isWoken;
    boolean waits = LockSupport.getBlocker(listener) instanceof Condition;
    return controls.size() > controlsBefore || (isTold && waits);
  }

  synchronized void awaitClosed() throws InterruptedException {
    while (!isClosed) {
      wait();
    }
  }

  @Override
  public synchronized int control(long request, long argument) throws NativeException {
    if (request == KICK) {
      while (ring.waiting() > 0) {
        FrontRing.Response response = ring.take();
        responses.add(response);
        answered.put(response.id(), pages((int) response.id()));
      }
    } else if (request == 3 || request == 4 || request == PAUSE || request == 206) {
      controls.add(request + " " + argument);
      unansweredAtPause = request == PAUSE ? ring.unansweredCount() : unansweredAtPause;
    } else {
      throw new NativeException(ENOTTY, "no such call: " + request);
    }
    notifyAll();
    return 0;
  }

  private ByteBuffer pages(int id) {
    return ByteBuffer.allocate(11 * 4096).put(0, memory, (1 + id * 11) * 4096, 11 * 4096);
  }

  @Override
  public synchronized int control(long request, ByteBuffer argument) {
    controls.add(request + " " + argument.remaining());
    parameters = argument;
    return 0;
  }

  @Override
  public int read(ByteBuffer dst) {
    throw new AssertionError("not read");
  }

  @Override
  public int write(ByteBuffer src) {
    throw new AssertionError("not written");
  }

  @Override
  public NativeMemory map(long offset, int length) {
    if (offset != 0 || length != PAGES * 4096) {
      throw new AssertionError("EAGAIN: the module maps 353 pages at once");
    }
    return new NativeMemory() {
      @Override
      public ByteBuffer buffer() {
        return memory;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public synchronized boolean await() {
    try {
      while (asked.isEmpty() && !isWoken) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    isWoken = false;
    listener = Thread.currentThread();
    boolean isAny = false;
    while (!asked.isEmpty()) {
      asked.remove().accept(ring.next());
      ring.put();
      isAny = true;
    }
    ring.publish();
    return isAny;
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
