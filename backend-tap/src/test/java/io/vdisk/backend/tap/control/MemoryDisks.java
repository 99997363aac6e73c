package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.XenGuest;
import java.io.Closeable;
import java.util.Map;
import java.util.Optional;
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
    // Bits of tapdisk-vbd.h.
    private static final int CLOSED = 0x2;
    private static final int QUIESCED = 0x8;
    private static final int PAUSE_REQUESTED = 0x10;
    private static final int PAUSED = 0x20;
    private static final int RESUME_FAILED = 0x200;

    private int state;
    private Optional<String> name = Optional.empty();
    private DiskInfo info = DiskInfo.NONE;

    /** The last opening, successful or not. */
    volatile Optional<OpenRequest> asked = Optional.empty();

    /** The last resuming. */
    volatile Optional<ResumeRequest> resumed = Optional.empty();

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
      return state;
    }

    @Override
    public synchronized DiskInfo open(OpenRequest request) throws DiskException {
      asked = Optional.of(request);
      if (name.isPresent()) {
        throw new DiskException(Errno.EALREADY, name.get() + " is open already");
      }
      info = find(request.name(), request.isReadOnly());
      name = Optional.of(request.name());
      state &= ~CLOSED;
      return info;
    }

    private DiskInfo find(String disk, boolean isReadOnly) throws DiskException {
      if (disk.indexOf(':') < 0) {
        throw new DiskException(Errno.EINVAL, disk + " names no driver");
      }
      if (disk.equals("null:")) {
        throw new NullPointerException("a fault");
      }
      if (disk.equals("odd:")) {
        return new DiskInfo(8, -1, 0); // which no message can hold
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
    public ServedRing serve(TapTransport transport, XenGuest guest) throws DiskException {
      throw new DiskException(Errno.ENODEV, "a disk in memory serves no guest");
    }

    @Override
    public void close(boolean isForced) throws DiskException {
      if (!isForced && name().isPresent()) {
        drain();
      }
      synchronized (this) {
        name = Optional.empty();
        state |= CLOSED;
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
        if ((state & PAUSED) != 0) {
          return;
        }
        state |= PAUSE_REQUESTED;
      }
      drain();
      synchronized (this) {
        state = CLOSED | QUIESCED | PAUSED;
      }
    }

    @Override
    public synchronized void resume(ResumeRequest request) throws DiskException {
      if ((state & PAUSED) == 0) {
        throw new DiskException(Errno.EINVAL, "the disk is not paused");
      }
      String next = request.name().or(() -> name).orElseThrow();
      try {
        if (find(next, false).sectors() != info.sectors()) {
          throw new DiskException(Errno.EMEDIUMTYPE, next + " has another size");
        }
      } catch (DiskException e) {
        state |= RESUME_FAILED;
        throw e;
      }
      resumed = Optional.of(request);
      name = Optional.of(next);
      state = 0;
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
