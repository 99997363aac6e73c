package io.vdisk.backend.tap.disk;

import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The files in which a host's tools find what the rings of this process did, written anew each
 * second while there are rings. What is wrong with them is one line in the log, and nobody else's
 * trouble. Any thread may call.
 */
public final class RingFiles implements Closeable {
  /** Where xentop and others look. */
  public static final Path FOLDER = Path.of("/dev/shm");

  private static final Logger LOG = System.getLogger(RingFiles.class.getName());

  private final Path folder;
  private final long pid;
  private final Set<RingFile> files = ConcurrentHashMap.newKeySet();
  private @Nullable ScheduledExecutorService clock; // guarded by this

  /**
   * None yet.
   *
   * @param folder what {@link #FOLDER} is on a host
   * @param pid the process of which they tell
   */
  public RingFiles(Path folder, long pid) {
    this.folder = folder;
    this.pid = pid;
  }

  /** The process of which they tell. */
  public long pid() {
    return pid;
  }

  /**
   * Begins to tell of a device, until none of its rings is served.
   *
   * @param rings the device's queues, which are added up
   */
  public synchronized void add(XenGuest guest, List<ServedRing> rings) {
    try {
      RingFile file = RingFile.create(folder, pid, guest, rings);
      files.add(file);
      file.write();
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
  public void update() {
    removeGone();
    for (RingFile file : files) {
      try {
        file.write();
      } catch (IOException e) {
        remove(file); // it says no more what is so
      }
    }
  }

  /** Ends those of devices that are not served any longer. */
  public void removeGone() {
    files.stream().filter(file -> !file.isServing()).forEach(this::remove);
  }

  /** Ends that of a device that has this ring. */
  public void remove(ServedRing ring) {
    files.stream().filter(file -> file.isOf(ring)).forEach(this::remove);
  }

  private void remove(RingFile file) {
    if (files.remove(file)) {
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
    files.forEach(this::remove);
  }
}
