package io.vdisk.file;

import com.google.common.io.Closer;
import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One file of the host, as long as anybody in this JVM has it open: its descriptors, the one lock
 * that other processes see, and what its flushes have in common. Any thread may call.
 *
 * <p>Descriptors stay open until the last user has left, because closing any of them takes the
 * POSIX locks of all away.
 */
final class OpenFile {
  /** Opens descriptors. */
  interface Opener {
    NativeFile open(Path path, boolean writable, LinkOption... links) throws IOException;

    /** Opens past the page cache. */
    default NativeFile openDirect(Path path, boolean writable, LinkOption... links)
        throws IOException {
      throw new IOException(
          path
              + " cannot be opened past the page cache: that takes Linux, Java 22 or newer, and"
              + " io.vdisk:host-linux with native access enabled");
    }
  }

  /** Descriptors of one kind, as far as they were asked for; under lock. */
  private static final class Descriptors {
    @Nullable NativeFile reading;
    @Nullable NativeFile writing;

    void close() throws IOException {
      try {
        if (reading != null) {
          reading.close();
        }
      } finally {
        if (writing != null) {
          writing.close();
        }
      }
    }
  }

  /**
   * What a user wants.
   *
   * @param writable whether to write too
   * @param locked whether to keep those out who would be disturbed
   * @param cache what becomes of the page cache
   */
  record Use(boolean writable, boolean locked, PageCache cache) {}

  private final Object key;
  private final Opener opener;

  private final ReentrantLock lock = new ReentrantLock();
  // Under lock.
  private final Map<PageCache, Descriptors> descriptors = new EnumMap<>(PageCache.class);
  private int users;
  private int lockedReaders;
  private boolean lockedWriter;
  private @Nullable ImageLock imageLock;
  private boolean gone;

  private final Durability durability = new Durability();

  OpenFile(Object key, Opener opener) {
    this.key = key;
    this.opener = opener;
  }

  Object key() {
    return key;
  }

  /**
   * Adds a user.
   *
   * @return what to read and write through; null if the last user has just left, so that this
   *     object is of no more use
   */
  @Nullable NativeFile enter(Path path, Use use, LinkOption... links) throws IOException {
    lock.lock();
    try {
      if (gone) {
        return null;
      }
      boolean entered = false;
      try {
        if (use.locked()) {
          checkOthers(path, use.writable());
        }
        NativeFile file = descriptor(path, use, links);
        if (use.locked()) {
          takeLock(file, path, use);
        }
        users++;
        entered = true;
        return file;
      } finally {
        if (!entered && users == 0) {
          closeAll();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes a user away. */
  void leave(Use use) throws IOException {
    lock.lock();
    try {
      users--;
      if (use.locked() && use.writable()) {
        lockedWriter = false;
      } else if (use.locked()) {
        lockedReaders--;
      }
      if (users == 0) {
        closeAll();
        return;
      }
      ImageLock held = imageLock;
      if (held != null && !lockedWriter && lockedReaders == 0) {
        imageLock = null;
        held.release();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Two users in one JVM get along as those of two processes would. */
  private void checkOthers(Path path, boolean writable) throws FileLockedException {
    if (lockedWriter) {
      throw new FileLockedException(path.toString(), "this process has it open for writing");
    }
    if (writable && lockedReaders > 0) {
      throw new FileLockedException(path.toString(), "this process has it open for reading");
    }
  }

  private void takeLock(NativeFile file, Path path, Use use) throws IOException {
    if (use.writable()) {
      imageLock = ImageLock.exclusive(file, path.toString());
      lockedWriter = true;
    } else {
      if (lockedReaders == 0) {
        imageLock = ImageLock.shared(file, isWriting(file), path.toString());
      }
      lockedReaders++;
    }
  }

  private NativeFile descriptor(Path path, Use use, LinkOption... links) throws IOException {
    Descriptors own = descriptors.computeIfAbsent(use.cache(), cache -> new Descriptors());
    NativeFile file = own.writing;
    if (file == null && (use.writable() || (use.locked() && lockedReaders == 0))) {
      try {
        file = open(path, use, true, links);
        own.writing = file;
      } catch (IOException e) {
        if (use.writable()) {
          throw e;
        }
        // A reader asks for it only to see a writer that came first: see ImageLock.shared.
      }
    }
    if (file == null) {
      file = own.reading;
    }
    if (file == null) {
      file = open(path, use, false, links);
      own.reading = file;
    }
    return file;
  }

  private NativeFile open(Path path, Use use, boolean writable, LinkOption... links)
      throws IOException {
    return switch (use.cache()) {
      case USED -> opener.open(path, writable, links);
      case WRITTEN_BACK -> new WrittenBackFile(opener.open(path, writable, links));
      case DROPPED -> new DroppingFile(opener.open(path, writable, links));
      case BYPASSED ->
          new DirectFile(
              opener.openDirect(path, writable, links), key instanceof FileRegistry.DeviceKey);
    };
  }

  @SuppressWarnings("ReferenceEquality") // the same descriptor
  private boolean isWriting(NativeFile file) {
    return descriptors.values().stream().anyMatch(own -> own.writing == file);
  }

  private void closeAll() throws IOException {
    gone = true;
    imageLock = null;
    try (Closer closer = Closer.create()) {
      descriptors.values().forEach(own -> closer.register(own::close));
    }
  }

  /** As {@link HostFile#flush}, for all users at once. */
  void flush(String name) throws IOException {
    durability.flush(
        () -> {
          NativeFile file = writer();
          if (file != null) {
            file.flush();
          }
        },
        name);
  }

  /** To be told of every change. */
  Durability durability() {
    return durability;
  }

  /** Whether the last user has left. */
  boolean isGone() {
    lock.lock();
    try {
      return gone;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable NativeFile writer() {
    lock.lock();
    try {
      for (Descriptors own : descriptors.values()) {
        if (own.writing != null) {
          return own.writing;
        }
      }
      return null;
    } finally {
      lock.unlock();
    }
  }
}
