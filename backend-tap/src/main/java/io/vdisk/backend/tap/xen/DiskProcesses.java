package io.vdisk.backend.tap.xen;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves each device by a process of its own, so that a crash takes one disk down; that is started
 * again then, at once the first time, and later the more often it failed. Disks in memory are
 * served in this process: their guests share them. Any thread may call.
 *
 * <p>Processes outlive the one that started them. Whoever comes after it leaves them alone ({@link
 * DeviceLocks}), and starts another when one ends.
 */
public final class DiskProcesses implements DeviceServers {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private static final int MOST_DELAY_SECONDS = 30;

  /** A process that lived so long was well. */
  private static final long WELL_SECONDS = 60;

  /** They take {@link LastClosings#PATIENCE} themselves, and then have to end. */
  private static final Duration PATIENCE = LastClosings.PATIENCE.plusSeconds(15);

  /** Exit code of a JVM that got the signal before it served anything: SIGTERM is 15. */
  private static final int NOT_READY = 128 + 15;

  /** Starts processes. */
  @FunctionalInterface
  public interface Starter {
    /** Starts one that serves this device, and ends with 0 when the device has gone. */
    Process start(BackendDevice device) throws IOException;
  }

  /** What serves a device, as far as it was started here. */
  private static final class Child {
    @Nullable Process process; // null: another one serves the device, or none could be started
    long tried; // when it was to be started last, nanoseconds
    int failures;
    boolean isOthers; // which was told

    boolean isAlive() {
      return process != null && process.isAlive();
    }
  }

  private final XenStore store;
  private final DeviceLocks locks;
  private final XenDisks together;
  private final Starter starter;
  private final Duration patience;
  private final LongSupplier clock;

  /** Where all is decided, one thing after the other. */
  private final ExecutorService decider =
      Executors.newSingleThreadExecutor(
          body -> {
            Thread thread = new Thread(body, "processes of disks");
            thread.setDaemon(true);
            return thread;
          });

  /** By the decider. */
  private final Map<BackendDevice, Child> children = new HashMap<>();

  /** By the decider. */
  private boolean isEnding;

  /**
   * None yet.
   *
   * @param together serves disks in memory, and is closed with this
   */
  public DiskProcesses(XenStore store, DeviceLocks locks, XenDisks together, Starter starter) {
    this(store, locks, together, starter, PATIENCE, System::nanoTime);
  }

  DiskProcesses(
      XenStore store,
      DeviceLocks locks,
      XenDisks together,
      Starter starter,
      Duration patience,
      LongSupplier clock) {
    this.store = store;
    this.locks = locks;
    this.together = together;
    this.starter = starter;
    this.patience = patience;
    this.clock = clock;
  }

  @Override
  public void look(BackendDevice device) {
    decide(() -> consider(device));
  }

  @Override
  public void lookAtAll() {
    together.lookAtAll();
    decide(this::considerAll);
  }

  @Override
  public void tick() {
    together.tick();
    decide(this::considerAll);
  }

  private interface Decision {
    void run() throws IOException;
  }

  private void decide(Decision decision) {
    try {
      decider.execute(
          () -> {
            try {
              decision.run();
            } catch (IOException e) {
              LOG.log(Level.WARNING, "processes of disks: {0}", e.getMessage());
            }
          });
    } catch (RejectedExecutionException e) {
      assert decider.isShutdown(); // nothing is begun any longer
    }
  }

  /** Each for itself: what fails for one is nothing to the others. */
  private void considerAll() {
    Set.copyOf(children.keySet()).forEach(this::look);
  }

  private void consider(BackendDevice device) throws IOException {
    if (isEnding) {
      return;
    }
    Child child = children.get(device);
    if (child != null && child.isAlive()) {
      return;
    }
    NodeFolder nodes = new NodeFolder(store, device.path());
    if (nodes.find("state").isEmpty()) {
      children.remove(device);
      together.look(device); // which may have it
    } else if (isOfMemory(nodes)) {
      together.look(device);
    } else {
      begin(device, children.computeIfAbsent(device, unused -> new Child()));
    }
  }

  private static boolean isOfMemory(NodeFolder nodes) throws IOException {
    try {
      return ImageName.isOfMemory(nodes.find("params").orElse(""));
    } catch (DiskException e) {
      return false; // the process that is started tells what is wrong with it
    }
  }

  /** Starts a process, if it is time and nobody serves the device; else at a later tick. */
  private void begin(BackendDevice device, Child child) throws IOException {
    long since = TimeUnit.NANOSECONDS.toSeconds(clock.getAsLong() - child.tried);
    long delay = Math.min(1L << Math.min(child.failures, 5), MOST_DELAY_SECONDS);
    boolean mayBegin = child.failures == 0 || since >= delay;
    if (!mayBegin) {
      return;
    }
    if (locks.isFree(device)) {
      child.isOthers = false;
      child.tried = clock.getAsLong();
      Process ended = child.process;
      if (ended != null) {
        child.failures = since >= WELL_SECONDS ? 0 : child.failures + 1;
        tellEnd(device, ended);
      }
      start(device, child);
    } else if (!child.isOthers) {
      child.isOthers = true;
      LOG.log(Level.INFO, "{0}: another process serves it, whose end is waited for", device);
    }
  }

  private static void tellEnd(BackendDevice device, Process ended) {
    LOG.log(
        Level.WARNING,
        "{0}: its process {1} ended with {2}, and is started again",
        device,
        ended.pid() + "",
        ended.exitValue() + "");
  }

  private void start(BackendDevice device, Child child) {
    child.process = null;
    try {
      Process process = starter.start(device);
      child.process = process;
      LOG.log(Level.INFO, "{0}: served by process {1}", device, process.pid() + "");
      var unused = process.onExit().thenRun(() -> look(device));
    } catch (IOException e) {
      child.failures++;
      LOG.log(Level.WARNING, "{0}: no process can serve it: {1}", device, e.getMessage());
    }
  }

  /**
   * Tells all processes to end, and waits until they have. Guests wait for others.
   *
   * @throws IOException if one closed its disk badly, or has not ended in time: it goes on
   */
  @Override
  public void close() throws IOException {
    if (decider.isShutdown()) {
      return; // again
    }
    LastClosings closings = new LastClosings(patience);
    CountDownLatch told = new CountDownLatch(1);
    decide(
        () -> {
          isEnding = true;
          children.forEach((device, child) -> end(device, child, closings));
          told.countDown();
        });
    decider.shutdown();
    FirstFailure failure = new FirstFailure();
    failure.run(together::close);
    Uninterruptibles.awaitUninterruptibly(told);
    failure.run(closings::await);
    failure.check();
  }

  private static void end(BackendDevice device, Child child, LastClosings closings) {
    Process process = child.process;
    if (process != null && process.isAlive()) {
      process.destroy();
      String name = device + " (process " + process.pid() + ")";
      closings.add(name, process.onExit().thenCompose(ended -> checked(name, ended.exitValue())));
    }
  }

  private static CompletableFuture<Boolean> checked(String name, int code) {
    return code == 0 || code == NOT_READY
        ? CompletableFuture.completedFuture(true)
        : CompletableFuture.failedFuture(
            new DiskException(Errno.EIO, name + " ended with " + code));
  }
}
