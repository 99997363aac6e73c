package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.FirstFailure;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.ServedRing;
import io.vdisk.backend.tap.disk.TapDisk;
import io.vdisk.backend.tap.disk.XenGuest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The disks of a tapdisk: {@link TapDisk}s, which share the process's RAM disks. While one is open,
 * processes of this machine can come to it with a ring in a file, at the socket {@code ringMINOR}
 * of the folder ({@link SharedFileListener}).
 */
public final class TapDisks implements Disks {
  private static final String SOCKET = "ring";

  private final DiskPolicy policy;
  private final RamDisks rams;
  private final Optional<Path> sockets;

  /** Disks under a policy, for guests that the control plane brings. */
  public TapDisks(DiskPolicy policy) {
    this(policy, Optional.empty());
  }

  /**
   * Disks under a policy.
   *
   * @param sockets the folder of the sockets to which guests come by themselves; empty: none come
   */
  public TapDisks(DiskPolicy policy, Optional<Path> sockets) {
    this.policy = policy;
    this.rams = new RamDisks(policy.ramBytes());
    this.sockets = sockets;
  }

  @Override
  public ControlledDisk attach(int minor) {
    return new Controlled(
        new TapDisk(minor, policy, rams), sockets.map(folder -> folder.resolve(SOCKET + minor)));
  }

  /** A disk with the socket at which guests come to it. */
  private static final class Controlled implements ControlledDisk {
    private final TapDisk disk;
    private final GuestSocket socket;

    Controlled(TapDisk disk, Optional<Path> socket) {
      this.disk = disk;
      this.socket = new GuestSocket(disk, socket);
    }

    @Override
    public Optional<String> name() {
      return disk.name();
    }

    @Override
    public int state() {
      return disk.state();
    }

    @Override
    public DiskInfo open(OpenRequest request) throws DiskException {
      DiskInfo info = disk.open(request);
      socket.open();
      return info;
    }

    @Override
    public Closeable serve(TapTransport guest) throws DiskException {
      try {
        return disk.serve(guest);
      } catch (IOException e) {
        throw DiskException.of(e);
      }
    }

    @Override
    public ServedRing serve(TapTransport transport, XenGuest guest) throws DiskException {
      try {
        return disk.serve(transport, guest);
      } catch (IOException e) {
        throw DiskException.of(e);
      }
    }

    @Override
    public DiskInfo info() {
      return disk.info();
    }

    @Override
    public void close(boolean isForced) throws DiskException {
      FirstFailure failure = new FirstFailure();
      failure.run(socket::close);
      failure.run(() -> disk.close(isForced));
      failure.run(socket::closeUnlessOpen); // what was being opened is closed, too
      try {
        failure.check();
      } catch (IOException e) {
        throw DiskException.of(e);
      }
    }

    @Override
    public void pause() throws DiskException {
      disk.pause();
    }

    @Override
    public void resume(ResumeRequest request) throws DiskException {
      disk.resume(request);
    }

    @Override
    public void limit(RateLimit.Rates rates) {
      disk.limit().change(rates);
    }

    @Override
    public String statistics() {
      return disk.statistics();
    }

    @Override
    public void detach() throws DiskException {
      disk.detach();
    }
  }
}
