package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rings by which one guest reaches one disk, most often a single one, and the log of its writes
 * that they share: so that of two writes, through whatever ring, the one that was asked later is
 * done later again. Any thread may call.
 */
public final class GuestQueues {
  private final List<TapTransport> rings;

  // Guarded by this.
  private @Nullable WriteLog log; // null: nothing is kept
  private DiskLogs logs = new DiskLogs(); // where it is
  private @Nullable BlockDevice device; // where what is in the log was written
  private int servers; // that use the log

  GuestQueues(List<? extends TapTransport> rings) {
    this.rings = List.copyOf(rings);
  }

  /** Makes these, all of one guest's disk, belong together. None is served yet. */
  public static void join(List<? extends TapTransport> rings) {
    GuestQueues joined = new GuestQueues(rings);
    rings.forEach(ring -> ring.joined(joined));
  }

  /** How many they are. */
  int count() {
    return rings.size();
  }

  /**
   * A server of one of them begins: the log that all share, whose content is on the disk, and
   * durable, before the first of them is served.
   *
   * @param beginning how the file begins
   * @param all the logs of the disk's guests, to which it is added
   */
  synchronized WriteLog begin(BlockDevice disk, Path beginning, DiskLogs all) throws IOException {
    if (log == null) {
      WriteLog opened = WriteLog.open(file(beginning), session());
      opened.replay(disk);
      log = opened;
      logs = all;
      logs.add(opened);
      device = disk;
    }
    servers++;
    return log;
  }

  private Path file(Path beginning) {
    return beginning.resolveSibling(beginning.getFileName() + Long.toHexString(session()));
  }

  private long session() {
    long session = 0;
    for (TapTransport ring : rings) {
      session = 31 * session + ring.session();
    }
    return session;
  }

  /** What was answered is made durable, and not kept any longer. */
  synchronized void settle(BlockDevice disk) throws IOException {
    if (log != null) {
      log.flush(disk);
    }
  }

  /**
   * From the next request on, all servers do them on this device. If it is another one, what was
   * written to the one before is durable, and none of them does any meanwhile.
   */
  @SuppressWarnings("ReferenceEquality") // the very device: devices have no other equality
  synchronized void become(BlockDevice other) {
    if (log != null && device != other) {
      log.drop(log.head());
      device = other;
    }
  }

  /** The same, where the files of the other device begin otherwise. */
  synchronized void become(BlockDevice other, Path beginning) throws IOException {
    become(other);
    if (log != null) {
      log.become(file(beginning));
    }
  }

  /** A server has ended, and what it answered is durable. The last one deletes the log. */
  synchronized void end() throws IOException {
    servers--;
    if (servers == 0 && log != null) {
      WriteLog last = log;
      log = null;
      logs.remove(last);
      last.delete();
    }
  }
}
