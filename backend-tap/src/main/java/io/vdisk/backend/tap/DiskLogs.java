package io.vdisk.backend.tap;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The logs of all guests of one disk: a flush makes durable what each of them wrote, that of guests
 * that have left included. Any thread may call.
 */
public final class DiskLogs {
  private final Set<WriteLog> logs = ConcurrentHashMap.newKeySet();

  /** None yet. */
  public DiskLogs() {}

  /** One of the same file is that of a server before, which could not make it durable. */
  void add(WriteLog log) {
    logs.removeIf(before -> before.isSameFile(log));
    logs.add(log);
  }

  void remove(WriteLog log) {
    logs.remove(log);
  }

  /** What makes durable all that was written to the disk. */
  public interface Flush {
    /** Does it. */
    void run() throws IOException;
  }

  /** Flushes the disk, and keeps what was answered before no longer. */
  public void flush(Flush flush) throws IOException {
    Map<WriteLog, Long> heads = new HashMap<>();
    for (WriteLog log : logs) {
      heads.put(log, log.beginFlush());
    }
    flush.run();
    heads.forEach(WriteLog::drop);
  }

  /**
   * The images are about to be closed, and others may open them. All that was answered is durable,
   * no request is under way, and none comes before the servers resume.
   */
  public void letGo() throws IOException {
    for (WriteLog log : logs) {
      log.letGo();
    }
  }

  /** No ring is served any longer. What could not be made durable stays where it is. */
  public void forget() {
    logs.clear();
  }
}
