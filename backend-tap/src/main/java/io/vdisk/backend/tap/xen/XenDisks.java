package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Serves all devices in this process, each by a thread of its own: one that takes long, or fails,
 * keeps no other waiting. Any thread may call.
 */
public final class XenDisks implements DeviceServers {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private final XenHost host;
  private final Duration patience;
  private final Map<BackendDevice, Keeper> keepers = new HashMap<>(); // guarded by itself
  private boolean isClosed; // as the keepers

  /** None yet; they are waited for at the end for {@link LastClosings#PATIENCE}. */
  public XenDisks(XenHost host) {
    this(host, LastClosings.PATIENCE);
  }

  XenDisks(XenHost host, Duration patience) {
    this.host = host;
    this.patience = patience;
  }

  @Override
  public void look(BackendDevice device) {
    synchronized (keepers) {
      if (!isClosed) {
        keepers.computeIfAbsent(device, this::start).poke();
      }
    }
  }

  private Keeper start(BackendDevice device) {
    Keeper keeper = new Keeper(device);
    keeper.thread.setDaemon(true);
    keeper.thread.start();
    return keeper;
  }

  @Override
  public void lookAtAll() {
    synchronized (keepers) {
      keepers.values().forEach(Keeper::poke);
    }
  }

  @Override
  public void tick() {
    synchronized (keepers) {
      keepers.values().forEach(Keeper::tick);
    }
  }

  /** Whether there is no device left. */
  public boolean isEmpty() {
    synchronized (keepers) {
      return keepers.isEmpty();
    }
  }

  /**
   * Answers what was taken, flushes and closes all images. Guests can be served by another one.
   * Again is harmless, and waits for nothing.
   *
   * @throws IOException if one was not closed well, or not in time
   */
  @Override
  public void close() throws IOException {
    List<Keeper> all;
    synchronized (keepers) {
      if (isClosed) {
        return;
      }
      isClosed = true;
      all = new ArrayList<>(keepers.values());
      all.forEach(Keeper::end);
    }
    LastClosings closings = new LastClosings(patience);
    all.forEach(keeper -> closings.add(keeper.device.toString(), keeper.ended));
    closings.await();
  }

  /** One device, and the thread that looks at it. */
  private final class Keeper {
    private final BackendDevice device;
    private final XenDisk disk;
    private final Thread thread;
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private boolean mustLook; // this and the next two as the keepers
    private boolean mustTick;
    private boolean mustEnd;

    Keeper(BackendDevice device) {
      this.device = device;
      this.disk = new XenDisk(host, device, this::poke);
      this.thread = new Thread(this::run, device.toString());
    }

    void poke() {
      synchronized (keepers) {
        mustLook = true;
        keepers.notifyAll();
      }
    }

    void tick() {
      mustTick = true;
      keepers.notifyAll();
    }

    void end() {
      mustEnd = true;
      keepers.notifyAll();
    }

    private void run() {
      try {
        while (awaitWork()) {
          try {
            if (takeLook()) {
              disk.step();
            } else {
              disk.tick();
            }
          } catch (IOException | RuntimeException | Error e) {
            LOG.log(Level.WARNING, device + ": " + e.getMessage(), e);
          }
        }
        disk.close();
        ended.complete(true);
      } catch (IOException | RuntimeException | Error e) {
        boolean isTold = ended.completeExceptionally(failure(e)) && isAwaited();
        if (!isTold) {
          LOG.log(Level.WARNING, device + ": not closed well", e);
        }
      }
    }

    private DiskException failure(Throwable cause) {
      String sentence = device + ": not closed well: " + cause.getMessage();
      return new DiskException(Errno.of(cause), sentence, cause);
    }

    /** Whether somebody is told. */
    private boolean isAwaited() {
      synchronized (keepers) {
        return isClosed;
      }
    }

    /** Waits; false if there will be no more. */
    private boolean awaitWork() {
      synchronized (keepers) {
        if (disk.isGone() && !mustLook) {
          keepers.remove(device);
          return false;
        }
        while (!mustEnd && !mustLook && !mustTick) {
          try {
            keepers.wait();
          } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts the keeper of a device", e);
          }
        }
        return !mustEnd;
      }
    }

    private boolean takeLook() {
      synchronized (keepers) {
        boolean isLook = mustLook;
        mustLook = false;
        mustTick &= isLook;
        return isLook;
      }
    }
  }
}
