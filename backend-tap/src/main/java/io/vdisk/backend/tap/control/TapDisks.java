package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.RamDisks;
import io.vdisk.backend.tap.disk.TapDisk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

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

  private static Optional<Path> path(Optional<String> name) throws DiskException {
    try {
      return name.map(Path::of);
    } catch (InvalidPathException e) {
      throw new DiskException(Errno.EINVAL, "not a file name: " + e.getMessage(), e);
    }
  }

  private static DiskKey key(EncryptionKey key) {
    byte[] bytes = key.copy();
    try {
      return new DiskKey(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static DiskInfo info(io.vdisk.backend.tap.disk.DiskInfo info) {
    return new DiskInfo(info.sectors(), info.sectorSize(), info.info());
  }

  /** A disk behind the control plane's own words. */
  private static final class Controlled implements ControlledDisk {
    private final TapDisk disk;
    private final GuestSocket socket;
    private volatile DiskInfo known = new DiskInfo(0, 0, 0);

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
      boolean hasParent = request.flags().contains(OpenFlag.REUSE_PARENT);
      io.vdisk.backend.tap.disk.OpenRequest asked =
          new io.vdisk.backend.tap.disk.OpenRequest(
              request.disk(),
              OpenFlag.word(request.flags()),
              path(request.log()),
              request.secondary(),
              request.key().map(TapDisks::key),
              hasParent ? OptionalInt.of(request.parentMinor()) : OptionalInt.empty(),
              request.timeoutSeconds());
      try {
        known = TapDisks.info(disk.open(asked));
        socket.open();
        return known;
      } catch (DiskException e) {
        asked.key().ifPresent(DiskKey::close);
        throw e;
      }
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
    public DiskInfo info() {
      return known;
    }

    @Override
    public void close(boolean isForced) throws DiskException {
      socket.close();
      disk.close(isForced);
    }

    @Override
    public void pause() throws DiskException {
      disk.pause();
    }

    @Override
    public void resume(ResumeRequest request) throws DiskException {
      io.vdisk.backend.tap.disk.ResumeRequest asked =
          new io.vdisk.backend.tap.disk.ResumeRequest(
              request.disk(), path(request.log()), request.secondary());
      disk.resume(asked);
      known = TapDisks.info(disk.info());
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
