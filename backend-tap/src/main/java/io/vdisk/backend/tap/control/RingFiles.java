package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.XenGuest;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The files in which a host's tools find what the rings of this process did, written anew each
 * second while there are rings. What is wrong with them is nobody else's trouble. Any thread may
 * call.
 */
final class RingFiles implements Closeable {
  private static final Logger LOG = System.getLogger(RingFiles.class.getName());

  private final Path folder;
  private final long pid;
  private final Map<ServedRing, RingFile> files = new ConcurrentHashMap<>();
  private @Nullable ScheduledExecutorService clock; // guarded by this

  /**
   * None yet.
   *
   * @param folder what {@code /dev/shm} is on a host
   */
  RingFiles(Path folder, long pid) {
    this.folder = folder;
    this.pid = pid;
  }

  /** Begins to tell of a ring. */
  synchronized void add(XenGuest guest, ServedRing ring) {
    try {
      RingFile file = RingFile.create(folder, pid, guest);
      files.put(ring, file);
      file.write(ring.requests(), ring.counters());
      if (clock == null) {
        clock = Executors.newSingleThreadScheduledExecutor(RingFiles::thread);
        var unused = clock.scheduleWithFixedDelay(this::update, 1, 1, TimeUnit.SECONDS);
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "there is no statistics file for {0}: {1}", guest, e);
    }
  }

  private static Thread thread(Runnable work) {
    Thread made = new Thread(work, "statistics of rings");
    made.setDaemon(true);
    return made;
  }

  /** Writes what has been counted until now. */
  void update() {
    removeGone();
    files.forEach(
        (ring, file) -> {
          try {
            file.write(ring.requests(), ring.counters());
          } catch (IOException e) {
            remove(ring); // it says no more what is so
          }
        });
  }

  /** Ends that of those that are not served any longer. */
  void removeGone() {
    files.keySet().stream().filter(ring -> !ring.isServing()).forEach(this::remove);
  }

  /** Ends that. */
  void remove(ServedRing ring) {
    RingFile file = files.remove(ring);
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        LOG.log(Level.WARNING, "a statistics file stays behind: {0}", e.toString());
      }
    }
    stopIfEmpty();
  }

  private synchronized void stopIfEmpty() {
    ScheduledExecutorService running = clock;
    if (running != null && files.isEmpty()) {
      clock = null;
      running.shutdown();
    }
  }

  @Override
  public void close() {
    files.keySet().forEach(this::remove);
  }
}
