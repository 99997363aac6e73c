package io.vdisk.backend.tap.xen;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Serves all devices in this process, each by a thread of its own: one that takes long, or fails,
 * keeps no other waiting. Any thread may call.
 */
public final class XenDisks implements DeviceServers {
  private static final Logger LOG = System.getLogger(XenDisk.class.getName());

  private final XenHost host;
  private final Map<BackendDevice, Keeper> keepers = new HashMap<>(); // guarded by itself
  private boolean isClosed; // as the keepers

  public XenDisks(XenHost host) {
    this.host = host;
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

  /** Answers what was taken, flushes and closes all images. Guests can be served by another one. */
  @Override
  public void close() {
    List<Keeper> all;
    synchronized (keepers) {
      isClosed = true;
      all = new ArrayList<>(keepers.values());
      all.forEach(Keeper::end);
    }
    all.forEach(keeper -> Uninterruptibles.joinUninterruptibly(keeper.thread));
  }

  /** One device, and the thread that looks at it. */
  private final class Keeper {
    private final BackendDevice device;
    private final XenDisk disk;
    private final Thread thread;
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
      } catch (IOException e) {
        LOG.log(Level.WARNING, device + ": not closed well", e);
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
