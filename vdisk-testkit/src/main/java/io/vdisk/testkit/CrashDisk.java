package io.vdisk.testkit;

import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The power supply of several host files, to be cut at any instant. Thread-safe.
 *
 * <p>After a cut each sector of 512 bytes holds, independently of all others, what it held at the
 * last flush of its file or any value that was written to it since; the file has its flushed size
 * or any later one, which tears the sector that it ends in: the rest of that is lost, whatever its
 * value is. The files themselves go on: any number of cuts can be drawn.
 */
public final class CrashDisk {
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, SectorStore> stores = new LinkedHashMap<>(); // guarded by lock
  private volatile Hook hook = event -> {};

  /** A disk without files. */
  public CrashDisk() {}

  /** Called at each change of a file and at each flush that has something to do. */
  @FunctionalInterface
  public interface Hook {
    /** Runs in the thread of the change, which holds no lock of the disk. */
    void at(Event event) throws IOException;
  }

  /**
   * An instant.
   *
   * @param file the file's name
   * @param done false before the operation took effect, true after
   * @param offset first byte; for a resize the new size
   * @param length bytes; 0 for resize and flush
   */
  public record Event(
      String file, HostOperation operation, boolean done, long offset, long length) {
    @Override
    public String toString() {
      return (done ? "after " : "before ") + operation + " " + file + " " + offset + "+" + length;
    }
  }

  /** Opens a file for writing; creates it if there is none of this name. */
  public CrashFile file(String name) {
    return open(name, true);
  }

  /** Opens a file for reading; creates it if there is none of this name. */
  public CrashFile readOnly(String name) {
    return open(name, false);
  }

  /** From now on {@code newHook} is called, and no other. */
  public void setHook(Hook newHook) {
    hook = newHook;
  }

  /**
   * What a power cut now could leave. How much is lost on the whole is drawn as well, so that
   * images with few losses and with few survivors come up, too.
   */
  public CrashImage cut(Random random) throws IOException {
    double loss = random.nextDouble();
    return image(store -> store.image(random, loss));
  }

  /** What is left when nothing survives that was not flushed. */
  public CrashImage cutLosingAll() throws IOException {
    return image(SectorStore::durableImage);
  }

  /** What is left when everything survives: as if only the process had died. */
  public CrashImage cutLosingNothing() throws IOException {
    return image(SectorStore::currentImage);
  }

  ReentrantLock lock() {
    return lock;
  }

  void happens(Event event) throws IOException {
    hook.at(event);
  }

  private CrashFile open(String name, boolean writable) {
    lock.lock();
    try {
      return new CrashFile(this, stores.computeIfAbsent(name, SectorStore::new), name, writable);
    } finally {
      lock.unlock();
    }
  }

  private interface Draw {
    SectorStore.Image of(SectorStore store) throws IOException;
  }

  private CrashImage image(Draw draw) throws IOException {
    List<HostFile> files = new ArrayList<>();
    long hash = 0;
    boolean torn = false;
    lock.lock();
    try {
      for (SectorStore store : stores.values()) {
        SectorStore.Image image = draw.of(store);
        files.add(image.file());
        hash = SectorValue.mix(hash + image.hash());
        torn |= image.torn();
      }
    } finally {
      lock.unlock();
    }
    return new CrashImage(files, hash, torn);
  }
}
