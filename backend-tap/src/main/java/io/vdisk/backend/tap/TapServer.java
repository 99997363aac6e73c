package io.vdisk.backend.tap;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.BlockDevice;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

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

  private final TapTransport transport;
  private final SharedRing ring;
  private final Service service;
  private final ServeOptions options;
  private final Watch watch;
  private final BatchSize batchSize = new BatchSize();
  private final Lead lead;
  private final RingWorker.Shared shared;
  private final CountDownLatch ended = new CountDownLatch(1);

  private int named; // under the lead

  private TapServer(TapTransport transport, Service service, ServeOptions options) {
    this.transport = transport;
    this.ring =
        transport.keepsRing()
            ? SharedRing.resume(transport.ring(), transport.abi())
            : SharedRing.attach(transport.ring(), transport.abi());
    this.service = service;
    this.options = options;
    this.watch = new Watch(options.watchNanoseconds());
    AtomicInteger inFlight = new AtomicInteger();
    int mostWorkers = Math.min(ring.count(), MOST_WORKERS);
    this.lead = new Lead(transport, inFlight, mostWorkers, this::startWorker);
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
    Closeable begun = transport;
    try {
      Service service = Service.begin(transport, device, options);
      begun = () -> end(transport, service);
      TapServer server = new TapServer(transport, service, options);
      transport.settle();
      if (transport.keepsRing()) {
        transport.ringBell(); // perhaps a server was killed between a response and this
      }
      LOG.log(Level.INFO, "{0}: connected", transport); // before its end can be told
      server.lead.begin();
      return server;
    } catch (IOException | RuntimeException | Error e) { // an Error, where a file was cut short
      try {
        begun.close();
      } catch (IOException | RuntimeException | Error f) {
        e.addSuppressed(f);
      }
      throw e;
    }
  }

  private static void end(TapTransport transport, Service service) throws IOException {
    try (transport) {
      service.end();
    }
  }

  /**
   * Takes no further request, and returns when none is on its way. If the disk can be flushed,
   * whoever takes the place of this server does nothing again that was answered before: its images
   * may be closed now, and changed by others. Again is harmless.
   */
  public void pause() {
    lead.pause();
    service.settle();
  }

  /** Goes on, on this device, which may be another one than before. */
  public void resume(BlockDevice device) {
    lead.resume(() -> service.setDevice(device));
  }

  /**
   * The same where the device is another image's.
   *
   * @param writeLogs how the files begin in which it is kept what is written to it, if that is kept
   */
  public void resume(BlockDevice device, Path writeLogs) throws IOException {
    service.setDevice(device, writeLogs);
    resume(device);
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
    lead.close();
    awaitEnd();
  }

  /** Returns when nothing is served any longer. */
  public void awaitEnd() {
    Uninterruptibles.awaitUninterruptibly(ended);
  }

  private void startWorker() {
    Thread thread = new Thread(this::work, transport + ", worker " + ++named);
    thread.setDaemon(true);
    thread.start();
  }

  /** The life of a worker. */
  private void work() {
    RingWorker worker = new RingWorker(shared);
    lead.take();
    try {
      while (awaitRequests()) {
        worker.take();
        serve(worker);
        if (!lead.isHeld() && !lead.takeAgain()) {
          break;
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      giveUp(e);
    } finally {
      worker.abandon();
      if (!lead.isHeld()) {
        lead.take();
      }
      try {
        if (lead.leave()) {
          end();
        }
      } finally {
        lead.release();
      }
    }
  }

  private void giveUp(Throwable failure) {
    lead.giveUp();
    try {
      transport.settle();
    } catch (InternalError e) { // what was read from a page that is gone made no sense
      failure.addSuppressed(e);
    }
    transport.wake();
    LOG.log(Level.WARNING, transport + ": given up", failure);
  }

  private void end() {
    try {
      end(transport, service);
    } catch (IOException e) {
      LOG.log(Level.WARNING, transport + ": not closed well", e);
    } finally {
      ended.countDown();
    }
    LOG.log(Level.INFO, "{0}: disconnected", transport);
  }

  /** Leads until there is a request, and true, or until the end, and false. */
  private boolean awaitRequests() throws IOException {
    while (!lead.isEnding()) {
      if (lead.isStopped()) {
        lead.awaitRelease();
      } else if (look()) {
        return true;
      } else if (ring.mayAwaitRequests()) {
        transport.settle();
        long began = System.nanoTime();
        if (!transport.await()) {
          lead.end();
        }
        watch.slept(System.nanoTime() - began);
        options.counters().wasWoken();
        if (transport.asksForCalm()) {
          lead.awaitCalm(0);
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
      while (System.nanoTime() - began < most && !lead.isStopping()) {
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
    boolean keepsLead = worker.hasBarrier();
    if (options.limit().isLimited()) {
      worker.fetch();
      lead.holdBack(() -> options.limit().take(worker.count(), worker.bytes()));
      if (!keepsLead) {
        passLead();
      }
    } else {
      if (!keepsLead && !isDoneByLeader(worker)) {
        passLead();
      }
      worker.fetch();
    }
    int plain = worker.plainCount();
    for (int done = 0; done < plain; ) {
      done = worker.serve(done, plain, lead.isHeld());
      if (done < plain && !keepsLead && lead.isHeld()) {
        passLead(); // this one is slow: let others do what else there is
      }
    }
    if (plain < worker.count()) {
      serveLast(worker);
    }
  }

  /** Whether nobody else is needed meanwhile. */
  private boolean isDoneByLeader(RingWorker worker) {
    return !worker.hasLong() && batchSize.isAlone();
  }

  /** A barrier, for which the lead is held, or what may take long. */
  private void serveLast(RingWorker worker) throws IOException {
    if (worker.hasBarrier()) {
      lead.awaitCalm(1);
      if (lead.isGivenUp()) {
        return; // it would come before what the next server does
      }
    }
    worker.serveLast();
  }

  private void passLead() {
    if (!options.isSerial()) {
      lead.pass();
    }
  }
}
