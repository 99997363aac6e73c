package io.vdisk.file;

import io.vdisk.file.host.NativeFile;
import java.io.IOException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
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
  }

  private final Object key;
  private final Opener opener;

  private final ReentrantLock lock = new ReentrantLock();
  // Under lock.
  private @Nullable NativeFile reading;
  private @Nullable NativeFile writing;
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
  @Nullable NativeFile enter(Path path, boolean writable, boolean locked, LinkOption... links)
      throws IOException {
    lock.lock();
    try {
      if (gone) {
        return null;
      }
      boolean entered = false;
      try {
        if (locked) {
          checkOthers(path, writable);
        }
        NativeFile file = descriptor(path, writable, locked, links);
        if (locked) {
          takeLock(file, path, writable);
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
  void leave(boolean writable, boolean locked) throws IOException {
    lock.lock();
    try {
      users--;
      if (locked && writable) {
        lockedWriter = false;
      } else if (locked) {
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

  private void takeLock(NativeFile file, Path path, boolean writable) throws IOException {
    if (writable) {
      imageLock = ImageLock.exclusive(file, path.toString());
      lockedWriter = true;
    } else {
      if (lockedReaders == 0) {
        imageLock = ImageLock.shared(file, isWriting(file), path.toString());
      }
      lockedReaders++;
    }
  }

  private NativeFile descriptor(Path path, boolean writable, boolean locked, LinkOption... links)
      throws IOException {
    NativeFile file = writing;
    if (file == null && (writable || (locked && lockedReaders == 0))) {
      try {
        file = opener.open(path, true, links);
        writing = file;
      } catch (IOException e) {
        if (writable) {
          throw e;
        }
        // A reader asks for it only to see a writer that came first: see ImageLock.shared.
      }
    }
    if (file == null) {
      file = reading;
    }
    if (file == null) {
      file = opener.open(path, false, links);
      reading = file;
    }
    return file;
  }

  @SuppressWarnings("ReferenceEquality") // the same descriptor
  private boolean isWriting(NativeFile file) {
    return file == writing;
  }

  private void closeAll() throws IOException {
    gone = true;
    imageLock = null;
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
      return writing;
    } finally {
      lock.unlock();
    }
  }
}
