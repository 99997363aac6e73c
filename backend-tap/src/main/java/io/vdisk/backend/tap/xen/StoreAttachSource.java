package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.control.AttachSource;
import io.vdisk.backend.tap.control.BlktapDaemon;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Requests to a daemon from Xen's store: the devices below {@code /local/domain/<own>/backend/tap}
 * are attached when a toolstack makes them, and detached when it removes them. Those that are there
 * at the beginning are found, too. What is done for each is told at {@link StoreDisks}.
 *
 * <p>A source is run once. Its disks stay attached when it ends.
 */
public final class StoreAttachSource implements AttachSource {
  /** No path of the store: wakes the one that waits for paths. */
  private static final String END = "";

  private final XenStore store;
  private final int host;
  private final BlockingQueue<String> changed = new LinkedBlockingQueue<>();
  private volatile boolean isClosed;

  private StoreAttachSource(XenStore store, int host) {
    this.store = store;
    this.host = host;
  }

  /**
   * The requests to this domain.
   *
   * @param store stays the caller's
   */
  public static StoreAttachSource of(XenStore store) throws IOException {
    return new StoreAttachSource(store, store.ownDomain());
  }

  /**
   * Passes requests on, one after the other, until {@link #close}.
   *
   * @throws StoreException if the store ends before
   */
  @Override
  public void run(BlktapDaemon daemon) throws IOException {
    StoreDisks disks = new StoreDisks(store, host, daemon);
    CompletableFuture<Void> unused = store.ended().thenRun(() -> changed.add(END));
    String path = BackendDevice.typePath(host, TapNodes.TYPE);
    try (StoreWatch watch = store.watch(path, changed::add)) {
      assert watch.path().equals(path);
      follow(disks);
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      if (!isClosed) { // else the store may go as it likes
        // Whatever was asked just then, the end of the store is why it failed, if it has ended.
        String reason = String.valueOf(store.ended().getNow(e).getMessage());
        throw new StoreException(
            StoreException.EIO, "Xen's store asks for no more disks: " + reason, e);
      }
    }
  }

  /** The path of the type, or of a domain, means all below. */
  private void follow(StoreDisks disks) throws IOException {
    for (String path = next(); !path.equals(END); path = next()) {
      Optional<BackendDevice> device = BackendDevice.of(path);
      if (device.isPresent()) {
        disks.look(device.get());
      } else {
        disks.lookAtAll();
      }
    }
    if (!isClosed) {
      throw store.ended().join();
    }
  }

  private String next() throws DiskException {
    try {
      return isClosed ? END : changed.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DiskException(Errno.EINTR, "interrupted while waiting for Xen's store", e);
    }
  }

  /** What is being done for a disk is done to its end. Again is harmless. */
  @Override
  public void close() {
    isClosed = true;
    changed.add(END);
  }
}
