package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.Closeable;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** Disks that are nothing but their state: which exist, and how many sectors they have. */
final class MemoryDisks implements Disks {
  final Map<String, Long> sectors = new ConcurrentHashMap<>();
  final Map<Integer, MemoryDisk> attached = new ConcurrentHashMap<>();

  MemoryDisks with(String name, long count) {
    sectors.put(name, count);
    return this;
  }

  @Override
  public MemoryDisk attach(int minor) {
    MemoryDisk disk = new MemoryDisk();
    attached.put(minor, disk);
    return disk;
  }

  /** Keeps the rules of xapi's tapdisk-vbd.c. */
  final class MemoryDisk implements ControlledDisk {
    private final Set<DiskState> states = EnumSet.noneOf(DiskState.class);
    private Optional<String> name = Optional.empty();
    private DiskInfo info = new DiskInfo(0, 0, 0);

    /** The last opening and resuming, without a key. */
    volatile Optional<OpenRequest> opened = Optional.empty();

    volatile Optional<ResumeRequest> resumed = Optional.empty();

    /** What the key was while the disk was opened. */
    volatile byte[] key = new byte[0];

    /** Where pausing and closing wait for requests in flight. */
    volatile CountDownLatch inFlight = new CountDownLatch(0);

    /** What was let go in a second last. */
    volatile RateLimit.Rates limited = RateLimit.Rates.UNLIMITED;

    volatile boolean isDetached;
    volatile boolean failsToFlush;

    @Override
    public synchronized Optional<String> name() {
      return name;
    }

    @Override
    public synchronized int state() {
      return DiskState.bits(states);
    }

    @Override
    public synchronized DiskInfo open(OpenRequest request) throws DiskException {
      if (name.isPresent()) {
        throw new DiskException(Errno.EALREADY, name.get() + " is open already");
      }
      DiskInfo found = find(request.disk(), request.flags().contains(OpenFlag.READ_ONLY));
      opened = Optional.of(request);
      key = request.key().map(EncryptionKey::copy).orElse(key);
      name = Optional.of(request.disk());
      info = found;
      states.remove(DiskState.CLOSED);
      return info;
    }

    private DiskInfo find(String disk, boolean isReadOnly) throws DiskException {
      if (disk.indexOf(':') < 0) {
        throw new DiskException(Errno.EINVAL, disk + " names no driver");
      }
      if (disk.equals("null:")) {
        throw new NullPointerException("a fault");
      }
      Long count = sectors.get(disk);
      if (count == null) {
        throw new DiskException(Errno.ENOENT, "there is no " + disk);
      }
      return new DiskInfo(count, 512, isReadOnly ? 4 : 0);
    }

    @Override
    public synchronized DiskInfo info() {
      return info;
    }

    @Override
    public Closeable serve(TapTransport guest) throws DiskException {
      throw new DiskException(Errno.ENODEV, "a disk in memory serves no guest");
    }

    @Override
    public void close(boolean isForced) throws DiskException {
      if (!isForced && name().isPresent()) {
        drain();
      }
      synchronized (this) {
        name = Optional.empty();
        states.add(DiskState.CLOSED);
      }
      if (failsToFlush) {
        throw new DiskException(Errno.EIO, "the disk could not be flushed");
      }
    }

    private void drain() throws DiskException {
      try {
        inFlight.await();
      } catch (InterruptedException e) {
        throw new DiskException(Errno.EINTR, "interrupted", e);
      }
    }

    @Override
    public void pause() throws DiskException {
      synchronized (this) {
        if (states.contains(DiskState.PAUSED)) {
          return;
        }
        states.add(DiskState.PAUSE_REQUESTED);
      }
      drain();
      synchronized (this) {
        states.remove(DiskState.PAUSE_REQUESTED);
        states.addAll(EnumSet.of(DiskState.CLOSED, DiskState.QUIESCED, DiskState.PAUSED));
      }
    }

    @Override
    public synchronized void resume(ResumeRequest request) throws DiskException {
      if (!states.contains(DiskState.PAUSED)) {
        throw new DiskException(Errno.EINVAL, "the disk is not paused");
      }
      String next = request.disk().or(() -> name).orElseThrow();
      try {
        if (find(next, false).sectors() != info.sectors()) {
          throw new DiskException(Errno.EMEDIUMTYPE, next + " has another size");
        }
      } catch (DiskException e) {
        states.add(DiskState.RESUME_FAILED);
        throw e;
      }
      resumed = Optional.of(request);
      name = Optional.of(next);
      states.clear();
    }

    @Override
    public void limit(RateLimit.Rates rates) {
      limited = rates;
    }

    @Override
    public synchronized String statistics() {
      return "{ \"name\": \"" + name.orElse("(null)") + "\", \"secs\": [ 0, 0 ] }";
    }

    @Override
    public synchronized void detach() throws DiskException {
      if (name.isPresent()) {
        throw new DiskException(Errno.EBUSY, name.get() + " is open");
      }
      isDetached = true;
    }
  }
}
