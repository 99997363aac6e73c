package io.vdisk.backend.tap.control;

import io.vdisk.backend.tap.BlktapDevice;
import io.vdisk.backend.tap.BlktapDevice.Generation;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.file.host.NativeDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The devices of blktap 1 of this host: {@code blktap0} takes control calls, {@code blktapN} is the
 * disk of minor N. Any thread may call.
 *
 * <p>Source: Xen 3.1 to 3.4, {@code tools/blktap/lib/blktaplib.h}.
 */
public final class HostBlktap implements BlktapDevices {
  private static final List<Path> FOLDERS = List.of(Path.of("/dev/xen"), Path.of("/dev"));
  private static final String NAME = "blktap";

  // Numbers of control calls.
  private static final int NEW_INTERFACE = 5;
  private static final int MAJOR = 7;
  private static final int FREE_INTERFACE = 9;
  private static final int NEW_INTERFACE_EXTENDED = 50;

  /** Devices up to here fit the call that takes domain and device in one number. */
  private static final int MOST_SHORT_DEVICE = 0xffff;

  private static final int BUS_SHIFT = 16;
  private static final int EXTENDED_SIZE = 8;
  private static final int EXTENDED_BUS = 4;
  private static final long MKNOD_SECONDS = 10;

  /** Opens a device; tests have their own. */
  interface Opener {
    NativeDevice open(Path path) throws IOException;
  }

  private final List<Path> folders;
  private final Opener opener;
  private final Map<Integer, Closeable> served = new ConcurrentHashMap<>();

  /** Those of this host, if there are any. */
  public HostBlktap() {
    this(FOLDERS, BlktapDevice::device);
  }

  HostBlktap(List<Path> folders, Opener opener) {
    this.folders = folders;
    this.opener = opener;
  }

  private Path folder() throws DiskException {
    for (Path folder : folders) {
      if (Files.exists(folder.resolve(NAME + 0))) {
        return folder;
      }
    }
    throw new DiskException(
        Errno.ENODEV,
        folders.get(0).resolve(NAME + 0)
            + " is missing: this kernel has no blktap, and no guest can be reached");
  }

  @Override
  public void check() throws DiskException {
    try (NativeDevice control = open(folder().resolve(NAME + 0))) {
      assert control != null;
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, NAME + 0 + " cannot be closed", e);
    }
  }

  private NativeDevice open(Path path) throws DiskException {
    try {
      return opener.open(path);
    } catch (IOException e) {
      throw new DiskException(Errno.ENODEV, path + " cannot be opened: " + e.getMessage(), e);
    }
  }

  @Override
  public int create(int domain, int device) throws DiskException {
    Path folder = folder();
    try (NativeDevice control = open(folder.resolve(NAME + 0))) {
      int minor = newInterface(control, domain, device);
      boolean isMade = false;
      try {
        makeNode(folder.resolve(NAME + minor), control.control(MAJOR, 0), minor);
        isMade = true;
        return minor;
      } finally {
        if (!isMade) {
          control.control(FREE_INTERFACE, minor);
        }
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(
          Errno.ENODEV,
          "no device for domain " + domain + ", device " + device + ": " + e.getMessage(),
          e);
    }
  }

  /** {@code domid} u16 at 0, {@code busid} u32 at 4; or the two packed into one number. */
  private static int newInterface(NativeDevice control, int domain, int device) throws IOException {
    int minor;
    if (device <= MOST_SHORT_DEVICE) {
      minor = control.control(NEW_INTERFACE, domain | (long) device << BUS_SHIFT);
    } else {
      ByteBuffer argument = ByteBuffer.allocateDirect(EXTENDED_SIZE).order(ByteOrder.nativeOrder());
      argument.putShort(0, (short) domain).putInt(EXTENDED_BUS, device);
      minor = control.control(NEW_INTERFACE_EXTENDED, argument);
    }
    if (minor <= 0) {
      throw new IOException("the module has no minor left");
    }
    return minor;
  }

  private static void makeNode(Path node, int major, int minor) throws IOException {
    if (Files.exists(node)) {
      return;
    }
    Process made =
        new ProcessBuilder("mknod", "-m", "0600", "" + node, "c", "" + major, "" + minor)
            .redirectErrorStream(true)
            .start();
    made.getOutputStream().close();
    made.getInputStream().readAllBytes();
    try {
      if (!made.waitFor(MKNOD_SECONDS, TimeUnit.SECONDS) || made.exitValue() != 0) {
        throw new IOException("the node " + node + " cannot be made");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + node + " was made", e);
    }
  }

  @Override
  public void free(int minor) throws DiskException {
    try (NativeDevice control = open(folder().resolve(NAME + 0))) {
      int unused = control.control(FREE_INTERFACE, minor);
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(
          Errno.ENODEV, "minor " + minor + " cannot be freed: " + e.getMessage(), e);
    }
  }

  @Override
  public void connect(int minor, ControlledDisk disk) throws DiskException {
    Path path = folder().resolve(NAME + minor);
    try {
      Closeable ring =
          disk.serve(
              BlktapDevice.begin(path.toString(), Generation.BLKTAP_1, disk.info(), open(path)));
      served.put(minor, ring);
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(Errno.ENODEV, path + " cannot be served: " + e.getMessage(), e);
    }
  }

  @Override
  public void disconnect(int minor) throws DiskException {
    Closeable ring = served.remove(minor);
    if (ring == null) {
      throw new DiskException(Errno.ENODEV, folder().resolve(NAME + minor) + " is not served");
    }
    try {
      ring.close();
    } catch (IOException e) {
      throw new DiskException(Errno.EIO, NAME + minor + " was not left well: " + e.getMessage(), e);
    }
  }
}
