package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a guest wrote since its last flush, kept outside of this process: an image's tables may
 * still be in our memory only, and the guest, which outlives us if we are killed, takes each write
 * that was answered for done. Whoever opens the same image next writes what is here ({@link
 * KeptWrites}), and so does the server of the same guest. A machine that dies takes the guest
 * along, so the file need not be durable: it belongs into a file system in memory.
 *
 * <p>A circle of records in a mapped file, in the byte order of the host:
 *
 * <pre>
 *     0  u64  magic, the bytes "vdisklog"
 *     8  u64  the guest's session
 *    16  u64  tail: the first record that counts
 *    24  u64  head: behind the last one; both count bytes for ever
 *    32  u64  when a request or a flush began last, milliseconds since 1970 UTC
 *  4096  the circle; a record begins at a multiple of 8 and is whole:
 *         0  u64  offset on the disk, or -1: nothing until the circle's end
 *         8  u64  length in bytes
 *        16  the bytes
 * </pre>
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A record is complete before the head says that it is there.
 *   <li>It is dropped only after a flush of the disk that began when it was there.
 *   <li>A write that was answered before another one was asked lies before it; of those that
 *       overlap, the one that the disk holds lies behind ({@link WriteOrder}).
 * </ol>
 *
 * <p>Any thread may call.
 */
final class WriteLog {
  /** Bytes of the circle, unless a test says otherwise: eight of the largest requests. */
  static final int CAPACITY = 8 << 20;

  private static final int PIECE = 1 << 16;
  private static final int START = 4096;
  private static final int SESSION = 8;
  private static final int TAIL = 16;
  private static final int HEAD = 24;
  private static final int BEGAN = 32;
  private static final int RECORD = 16;
  private static final long NOTHING = -1;
  private static final byte[] MAGIC = {'v', 'd', 'i', 's', 'k', 'l', 'o', 'g'};

  private static final Set<OpenOption> READ_WRITE =
      Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);

  /** In it is what guests keep on their disks. */
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final VarHandle INDEX =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final long session;
  private volatile Path path;
  private volatile MappedByteBuffer all;
  private volatile boolean isLetGo; // the file of that name is another one, if there is one
  private boolean isGone; // under lock: its memory is not to be touched
  private final int capacity;
  private final ReentrantLock lock = new ReentrantLock();
  private final WriteOrder order = new WriteOrder();

  private WriteLog(Path path, long session, MappedByteBuffer all) {
    this.path = path;
    this.session = session;
    this.all = all;
    this.capacity = all.capacity() - START;
  }

  /** The log of a guest's session: the one that is there, or a new one. */
  static WriteLog open(Path path, long session) throws IOException {
    return open(path, session, CAPACITY);
  }

  static WriteLog open(Path path, long session, int capacity) throws IOException {
    try (FileChannel file = FileChannel.open(path, READ_WRITE, OWNER_ONLY)) {
      boolean isNew = !hasMagic(file);
      if (!isNew && file.size() != START + (long) capacity) {
        throw new CorruptImageException(
            path + " has " + file.size() + " bytes, and is no log of writes");
      }
      if (isNew) {
        reserve(file, path, START + capacity);
      }
      MappedByteBuffer all = file.map(MapMode.READ_WRITE, 0, START + (long) capacity);
      all.order(ByteOrder.nativeOrder());
      if (isNew) {
        all.putLong(SESSION, session).putLong(BEGAN, System.currentTimeMillis());
        VarHandle.storeStoreFence();
        all.put(0, MAGIC);
      }
      WriteLog log = new WriteLog(path, session, all);
      log.check(session);
      return log;
    }
  }

  /** A log that is there, whichever session's it is. */
  static WriteLog left(Path path) throws IOException {
    ByteBuffer session = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      while (session.hasRemaining() && file.read(session, SESSION + session.position()) > 0) {}
    }
    return open(path, session.getLong(0));
  }

  /** Of a new file, and of one whose maker was killed before it was a log, it has none. */
  private static boolean hasMagic(FileChannel file) throws IOException {
    ByteBuffer magic = ByteBuffer.allocate(MAGIC.length);
    while (magic.hasRemaining() && file.read(magic, magic.position()) > 0) {}
    return magic.getLong(0) != 0;
  }

  /** What is mapped without being there would end the ring of a guest where no memory is left. */
  private static void reserve(FileChannel file, Path path, int length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocate(Math.min(length, PIECE));
    try {
      file.truncate(0);
      while (file.size() < length) {
        file.write(zeroes.clear().limit((int) Math.min(PIECE, length - file.size())), file.size());
      }
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw new IOException(
          path + ": no " + length + " bytes for what a guest writes: " + e.getMessage(), e);
    }
  }

  private void check(long session) throws IOException {
    byte[] magic = new byte[MAGIC.length];
    all.get(0, magic);
    if (!Arrays.equals(magic, MAGIC) || all.getLong(SESSION) != session) {
      throw new CorruptImageException(path + " is no log of this guest's writes");
    }
    long kept = head() - tail();
    if (tail() < 0 || kept < 0 || kept > capacity || (tail() | head()) % 8 != 0) {
      throw new CorruptImageException(
          path + ": the log's tail is " + tail() + ", and its head " + head());
    }
  }

  /** Writes to the disk what a server left that is gone, makes it durable, and is empty then. */
  void replay(BlockDevice disk) throws IOException {
    long head = head();
    if (tail() == head) {
      return;
    }
    long at = tail();
    while (at < head) {
      int place = place(at);
      int left = capacity + START - place;
      long offset = all.getLong(place);
      if (offset == NOTHING) {
        at += left;
        continue;
      }
      long length = all.getLong(place + 8);
      if (length < 0 || length > left - RECORD || at + size(length) > head) {
        throw new CorruptImageException(path + ": a record at " + at + " has " + length + " bytes");
      }
      begins(); // whoever comes if this is killed knows who changed the image
      disk.write(all.slice(place + RECORD, (int) length), offset);
      at += size(length);
    }
    flush(disk);
  }

  /**
   * A request or a flush begins: the images change from now on, if it changes them. A clock that is
   * set back tells of no earlier time.
   */
  void begins() {
    all.putLong(BEGAN, Math.max(all.getLong(BEGAN), System.currentTimeMillis()));
  }

  /** Flushes the disk, and keeps what was added before no longer. */
  void flush(BlockDevice disk) throws IOException {
    long head = beginFlush();
    disk.flush();
    drop(head);
  }

  /** A flush of the disk begins; what it makes durable, for {@link #drop}. */
  long beginFlush() {
    lock.lock();
    try {
      if (isGone) {
        return 0;
      }
      begins();
      return head();
    } finally {
      lock.unlock();
    }
  }

  /** When a request or a flush began last. */
  Instant lastBeginning() {
    return Instant.ofEpochMilli(all.getLong(BEGAN));
  }

  /** Whether there is nothing to be written. */
  boolean isEmpty() {
    return tail() == head();
  }

  /** From now on it is this file. Nobody adds or drops meanwhile. */
  void become(Path other) throws IOException {
    if (isLetGo) {
      all = open(other, session, capacity).all;
      path = other;
      isLetGo = false;
    } else if (!path.equals(other)) {
      path = Files.move(path, other, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /**
   * It is empty, and its image is no longer ours: whoever opens that next finds no file of it, and
   * may have one of that name. Nobody adds before {@link #become}.
   */
  void letGo() throws IOException {
    if (!isLetGo) {
      Files.deleteIfExists(path);
      isLetGo = true;
    }
  }

  boolean isSameFile(WriteLog other) {
    return path.equals(other.path);
  }

  @Override
  public String toString() {
    return path.toString();
  }

  /** In which writes are done and added. */
  WriteOrder order() {
    return order;
  }

  /**
   * Adds a write that was done.
   *
   * @return false if there is no room: a flush makes it
   */
  boolean add(long offset, ByteBuffer data) {
    lock.lock();
    try {
      long head = head();
      long size = size(data.remaining());
      int left = capacity + START - place(head);
      long skipped = size > left ? left : 0;
      if (head + skipped + size - tail() > capacity) {
        return false;
      }
      if (skipped > 0) {
        all.putLong(place(head), NOTHING);
        head += skipped;
      }
      int place = place(head);
      all.putLong(place, offset).putLong(place + 8, data.remaining());
      all.put(place + RECORD, data, data.position(), data.remaining());
      INDEX.setRelease(all, HEAD, head + size);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** What a flush that begins now makes durable; for {@link #drop}. */
  long head() {
    return (long) INDEX.getAcquire(all, HEAD);
  }

  /** Drops what was added before {@code head}, which a flush made durable. */
  void drop(long head) {
    lock.lock();
    try {
      if (!isGone && head > tail()) {
        INDEX.setRelease(all, TAIL, head);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Deletes the file; what was added is durable. It is emptied first: its memory would stay until
   * the collector unmaps it. Nobody adds or drops any longer.
   */
  void delete() throws IOException {
    lock.lock();
    try {
      isGone = true;
    } finally {
      lock.unlock();
    }
    if (isLetGo) {
      return;
    }
    FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.DELETE_ON_CLOSE)
        .close();
  }

  private long tail() {
    return (long) INDEX.getAcquire(all, TAIL);
  }

  private int place(long position) {
    return START + (int) (position % capacity);
  }

  private static long size(long length) {
    return RECORD + ((length + 7) & ~7L);
  }
}
