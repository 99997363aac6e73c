package io.vdisk.backend.tap;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.BlockDevice;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Serves one guest's ring from a block device.
 *
 * <p>Workers take turns to lead. The leader waits at the ring and takes some requests out of it. If
 * requests are done faster than another thread would be woken it does them and goes on; if not it
 * passes the lead first, so that as many requests are on their way as the ring holds. Responses are
 * put as requests end, in any order.
 *
 * <p>A guest that breaks the protocol, or goes, ends its own server. A request that fails is
 * answered so. Any thread may call.
 */
public final class TapServer implements Closeable {
  private static final Logger LOG = System.getLogger(TapServer.class.getName());

  /** Requests that are on their way at most: twice what a ring of one page holds. */
  static final int MOST_WORKERS = 64;

  /** So long a limit is believed, which may change meanwhile. */
  private static final long MOST_LIMIT_NANOSECONDS = 100_000_000;

  /** A worker that was not needed for so long leaves. */
  private static final long IDLE_SECONDS = 10;

  private final TapTransport transport;
  private final SharedRing ring;
  private final Service service;
  private final ServeOptions options;
  private final Watch watch;
  private final int mostWorkers;
  private final BatchSize batchSize = new BatchSize();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final RingWorker.Shared shared;
  private final CountDownLatch ended = new CountDownLatch(1);

  /** The lead: held by the worker that takes, and by whoever stops it. */
  private final ReentrantLock lead = new ReentrantLock();

  /** Workers may go on. */
  private final Condition released = lead.newCondition();

  /** A worker came back: perhaps it was the last that was away. */
  private final Condition returned = lead.newCondition();

  // Read without the lead, too.
  private volatile boolean isPaused;
  private volatile boolean isEnding;

  /** Some of what was taken is not done, nor will be. */
  private volatile boolean isGivenUp;

  // Under lead.
  private boolean isHeldBack; // by a leader that waits for something
  private int workers;
  private int named;

  private TapServer(TapTransport transport, Service service, ServeOptions options) {
    this.transport = transport;
    this.ring =
        transport.keepsRing()
            ? SharedRing.resume(transport.ring(), transport.abi())
            : SharedRing.attach(transport.ring(), transport.abi());
    this.service = service;
    this.options = options;
    this.mostWorkers = Math.min(ring.count(), MOST_WORKERS);
    this.watch = new Watch(options.watchNanoseconds());
    this.shared =
        new RingWorker.Shared(
            transport,
            ring,
            service,
            new Responses(ring, transport, options.counters()),
            batchSize,
            inFlight,
            options.counters());
  }

  /**
   * Begins to serve, after what a server that was killed left to be done. The server owns the
   * transport and closes it when the guest has gone; the device stays the caller's, and stays open
   * as long as the server.
   */
  public static TapServer start(TapTransport transport, BlockDevice device, ServeOptions options)
      throws IOException {
    TapServer server = begin(transport, device, options);
    server.lead.lock();
    try {
      server.addWorker();
    } finally {
      server.lead.unlock();
    }
    LOG.log(Level.INFO, "{0}: connected", transport);
    return server;
  }

  private static TapServer begin(TapTransport transport, BlockDevice device, ServeOptions options)
      throws IOException {
    try {
      TapServer server =
          new TapServer(transport, Service.begin(transport, device, options), options);
      transport.settle();
      if (transport.keepsRing()) {
        transport.ringBell(); // perhaps a server was killed between a response and this
      }
      return server;
    } catch (IOException | RuntimeException | Error e) { // an Error, where a file was cut short
      transport.close();
      throw e;
    }
  }

  /** Takes no further request, and returns when none is on its way. Again is harmless. */
  public void pause() {
    isPaused = true;
    transport.wake();
    lead.lock();
    try {
      while (inFlight.get() > 0) {
        returned.awaitUninterruptibly();
      }
    } finally {
      lead.unlock();
    }
  }

  /** Goes on, on this device, which may be another one than before. */
  public void resume(BlockDevice device) {
    lead.lock();
    try {
      service.setDevice(device);
      isPaused = false;
      released.signalAll();
    } finally {
      lead.unlock();
    }
  }

  /** Tells the guest the size of the disk, which is another one than before. */
  public void announceSize() {
    transport.announceSize(service.size());
  }

  /** True until the guest has gone, its ring was found broken, or the server was closed. */
  public boolean isServing() {
    return ended.getCount() > 0;
  }

  /**
   * Answers what was taken, then lets go of the ring; what waits in it is left to another server.
   * The device is neither flushed nor closed.
   */
  @Override
  public void close() {
    isEnding = true;
    transport.wake();
    lead.lock();
    try {
      released.signalAll();
    } finally {
      lead.unlock();
    }
    awaitEnd();
  }

  /** Returns when nothing is served any longer. */
  public void awaitEnd() {
    Uninterruptibles.awaitUninterruptibly(ended);
  }

  private void addWorker() {
    workers++;
    Thread thread = new Thread(this::work, transport + ", worker " + ++named);
    thread.setDaemon(true);
    thread.start();
  }

  /** The life of a worker. */
  private void work() {
    RingWorker worker = new RingWorker(shared);
    lead.lock();
    try {
      while (awaitRequests()) {
        worker.take();
        serve(worker);
        if (!lead.isHeldByCurrentThread() && !leadAgain()) {
          break;
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      giveUp(e);
    } finally {
      worker.abandon();
      if (!lead.isHeldByCurrentThread()) {
        lead.lock();
      }
      try {
        leave();
      } finally {
        lead.unlock();
      }
    }
  }

  private void giveUp(Throwable failure) {
    isGivenUp = true;
    isEnding = true;
    try {
      transport.settle();
    } catch (InternalError e) { // what was read from a page that is gone made no sense
      failure.addSuppressed(e);
    }
    transport.wake();
    LOG.log(Level.WARNING, transport + ": given up", failure);
  }

  /** Queues for the lead; false if it was not needed for so long that it may leave. */
  private boolean leadAgain() {
    transport.settle();
    try {
      if (lead.tryLock(IDLE_SECONDS, SECONDS)) {
        returned.signalAll();
        return true;
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a worker", e);
    }
    lead.lock();
    return workers == 1;
  }

  private void leave() {
    workers--;
    returned.signalAll();
    released.signalAll();
    if (workers == 0) {
      try (transport) {
        service.end();
      } catch (IOException e) {
        LOG.log(Level.WARNING, transport + ": not closed well", e);
      } finally {
        ended.countDown();
      }
      LOG.log(Level.INFO, "{0}: disconnected", transport);
    }
  }

  /** Leads until there is a request, and true, or until the end, and false. */
  private boolean awaitRequests() throws IOException {
    while (!isEnding) {
      if (isPaused || isHeldBack) {
        transport.settle();
        returned.signalAll(); // a pause may have begun while this one held a request back
        released.awaitUninterruptibly();
      } else if (look()) {
        return true;
      } else if (ring.mayAwaitRequests()) {
        transport.settle();
        long began = System.nanoTime();
        if (!transport.await()) {
          isEnding = true;
        }
        watch.slept(System.nanoTime() - began);
        options.counters().wasWoken();
        if (transport.asksForCalm()) {
          awaitCalm(0);
          transport.isCalm();
        }
      }
    }
    transport.settle();
    return false;
  }

  private boolean look() throws IOException {
    if (ring.waiting() > 0) {
      return true;
    }
    long most = watch.nanoseconds();
    if (most > 0) {
      long began = System.nanoTime();
      while (System.nanoTime() - began < most && !isPaused && !isEnding) {
        Thread.onSpinWait();
        if (ring.waiting() > 0) {
          return true;
        }
      }
    }
    return false;
  }

  /** Serves what a worker took. The lead is held, and perhaps passed on. */
  private void serve(RingWorker worker) throws IOException {
    int plain = worker.hasBarrier() ? worker.count() - 1 : worker.count();
    if (options.limit().isLimited()) {
      worker.fetch();
      holdBack(worker);
      if (plain == worker.count()) {
        passLead();
      }
    } else {
      if (!batchSize.isAlone() && plain == worker.count()) {
        passLead();
      }
      worker.fetch();
    }
    for (int done = 0; done < plain; ) {
      done = worker.serve(done, plain, lead.isHeldByCurrentThread());
      if (done < plain && plain == worker.count() && lead.isHeldByCurrentThread()) {
        passLead(); // this one is slow: let others do what else there is
      }
    }
    if (plain < worker.count()) {
      serveBarrier(worker);
    }
  }

  /** The lead is held. */
  private void serveBarrier(RingWorker worker) throws IOException {
    awaitCalm(1);
    if (!isGivenUp) { // else it would come before what the next server does
      worker.serve(worker.count() - 1, worker.count(), false);
    }
  }

  /** Leads on when no more requests than these are on their way. */
  private void awaitCalm(int own) {
    transport.settle();
    isHeldBack = true;
    while (inFlight.get() > own) {
      returned.awaitUninterruptibly();
    }
    isHeldBack = false;
    released.signalAll();
  }

  /**
   * Waits until the limit lets the requests pass; whoever pauses or ends does not wait for that.
   */
  private void holdBack(RingWorker worker) {
    transport.settle();
    isHeldBack = true;
    try {
      long nanoseconds = options.limit().take(worker.count(), worker.bytes());
      while (nanoseconds > 0 && !isPaused && !isEnding) {
        long unused = released.awaitNanos(Math.min(nanoseconds, MOST_LIMIT_NANOSECONDS));
        nanoseconds = options.limit().take(worker.count(), worker.bytes());
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a worker", e);
    } finally {
      isHeldBack = false;
      released.signalAll();
    }
  }

  private void passLead() {
    if (options.isSerial()) {
      return;
    }
    transport.settle();
    if (!lead.hasQueuedThreads() && workers < mostWorkers) {
      addWorker();
    }
    lead.unlock();
  }
}
