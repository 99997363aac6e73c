package io.vdisk.backend.tap;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.common.hash.Hashing;
import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A guest of Xen. Its ring is mapped by grant, an event channel is the bell, and data is copied by
 * grant: one call for what many requests write, and one for what they read. Where the front end
 * goes on using the pages that it granted ({@link XenRing#isPersistent}) they stay mapped instead,
 * and data is copied without a call.
 *
 * <p>Nothing that the guest does to its pages or grants harms this process: what is mapped stays
 * ({@link GrantTable}), and a copy that fails is that request's error. So there is nothing to
 * {@link #settle}. A guest of Xen says through its store that it leaves, not through its ring:
 * whoever watches the store closes the server.
 *
 * <p>Each of several queues of a disk has a transport and a server of its own. A write barrier
 * waits for what came before in its queue, and makes durable what was answered in all of them, as
 * Linux' own back end does: its front end asks for it only when the writes before it were answered.
 *
 * <p>Takes the devices {@code /dev/xen/gntdev} and {@code /dev/xen/evtchn}, each opened once for
 * each ring.
 */
public final class GrantTransport extends TapTransport {
  private static final Path GRANTS = Path.of("/dev/xen/gntdev");
  private static final Path EVENTS = Path.of("/dev/xen/evtchn");

  private final XenRing ring;
  private final GrantTable table;
  private final MappedGrants memory;
  private final EventChannel events;
  private final GrantedPages pages;
  private final AtomicBoolean isClosed = new AtomicBoolean();

  private GrantTransport(XenRing ring, GrantTable table, MappedGrants memory, EventChannel events) {
    this.ring = ring;
    this.table = table;
    this.memory = memory;
    this.events = events;
    Optional<PersistentGrants> persistent =
        ring.isPersistent()
            ? Optional.of(new PersistentGrants(table, PersistentGrants.MOST, System::nanoTime))
            : Optional.empty();
    this.pages = new GrantedPages(ring.toString(), table, persistent);
  }

  /**
   * Maps a guest's ring, and binds its event channel.
   *
   * @throws IOException with a sentence that says what is missing: native access, a device, the
   *     right to use it, pages that are granted, an event channel
   */
  public static GrantTransport connect(XenRing ring) throws IOException {
    HostSystem system =
        HostSystem.installed()
            .orElseThrow(
                () ->
                    new IOException(
                        ring
                            + ": the grants of Xen take Java 22 or later, and native access for"
                            + " host-linux"));
    NativeDevice grants = open(system, GRANTS, ring);
    NativeDevice events;
    try {
      events = open(system, EVENTS, ring);
    } catch (IOException e) {
      grants.close();
      throw e;
    }
    return connect(ring, grants, events);
  }

  private static NativeDevice open(HostSystem system, Path device, XenRing ring)
      throws IOException {
    try {
      return system.openDevice(device);
    } catch (NoSuchFileException e) {
      throw new IOException(
          ring + ": there is no " + device + ", as there is in a Dom0 of Xen: cannot map its ring",
          e);
    } catch (AccessDeniedException e) {
      throw new IOException(ring + ": no right to use " + device + ", which takes root", e);
    }
  }

  /** The same with devices that are open, and belong to the transport from now on. */
  @SuppressWarnings("exports") // for the module itself, which alone sees that interface
  public static GrantTransport connect(XenRing ring, NativeDevice grants, NativeDevice events)
      throws IOException {
    GrantTable table = new GrantTable(grants, ring.domain());
    Closeable open = both(table, events);
    try {
      MappedGrants memory = table.map(ring.grants());
      open = both(open, memory);
      EventChannel channel = EventChannel.bind(events, ring.domain(), ring.port());
      return new GrantTransport(ring, table, memory, channel);
    } catch (IOException | RuntimeException e) {
      open.close();
      throw e;
    }
  }

  /** Closes the first, then the last. */
  private static Closeable both(Closeable last, Closeable first) {
    return () -> {
      try (last) {
        first.close();
      }
    };
  }

  /**
   * A number made of all that a front end says of its ring, so that the same front end has the same
   * one when this process is killed and another one takes its place. A front end that connects anew
   * may get the same references and the same port from its kernel: of the same image's writes none
   * is kept by then ({@link KeptWrites}).
   */
  @Override
  long session() {
    String numbers =
        String.format(
            "%d %d %d %s %d %s",
            ring.domain(), ring.device(), ring.queue(), ring.grants(), ring.port(), ring.abi());
    return Hashing.farmHashFingerprint64().hashString(numbers, US_ASCII).asLong();
  }

  @Override
  boolean keepsRing() {
    return true;
  }

  @Override
  ByteBuffer ring() {
    return memory.buffer();
  }

  @Override
  RingAbi abi() {
    return ring.abi();
  }

  @Override
  boolean readSegments(TapRequest request) {
    return pages.readSegments(request);
  }

  @Override
  void fetch(RequestBatch batch) {
    pages.fetch(batch);
  }

  @Override
  void store(RequestBatch batch, int from, int to) {
    pages.store(batch, from, to);
  }

  @Override
  boolean await() throws IOException {
    events.await();
    return true;
  }

  @Override
  void wake() {
    events.wake();
  }

  @Override
  void ringBell() throws IOException {
    events.notifyOther();
  }

  /** Whoever changed the size tells it in Xen's store. */
  @Override
  void announceSize(long bytes) {}

  @Override
  public void close() throws IOException {
    if (isClosed.getAndSet(true)) {
      return;
    }
    both(both(both(table, memory), events), pages).close();
  }

  @Override
  public String toString() {
    return ring.toString();
  }
}
