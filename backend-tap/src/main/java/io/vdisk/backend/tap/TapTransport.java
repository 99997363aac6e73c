package io.vdisk.backend.tap;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way to one guest: the memory of its ring, the pages with its data, and the bell by which each
 * side wakes the other. Whoever passes one to {@link TapServer#start} gives it away; to close it
 * again is harmless.
 *
 * <p>One thread at a time waits, one at a time rings; any number fetch and store. {@link #wake} and
 * {@link #close} come from any thread.
 */
public abstract class TapTransport implements Closeable {
  private @Nullable GuestQueues queues; // null: it is alone, and nobody has asked

  TapTransport() {}

  /** All rings of the same guest to the same disk, this one among them. */
  final synchronized GuestQueues queues() {
    if (queues == null) {
      queues = new GuestQueues(List.of(this));
    }
    return queues;
  }

  final synchronized void joined(GuestQueues all) {
    queues = all;
  }

  /** What tells this guest, from its first connection to its end, from any other. */
  abstract long session();

  /**
   * True if the guest goes on with its ring as it is when another server takes the place of one
   * that was killed; false if it begins its ring anew.
   */
  boolean keepsRing() {
    return false;
  }

  /** The memory of the ring: direct, of one page or of a power of two of them. */
  abstract ByteBuffer ring();

  /** How the guest lays out the ring's entries. */
  abstract RingAbi abi();

  /**
   * Reads the segments of an indirect request out of the pages that hold them.
   *
   * @return false if these are not the guest's
   */
  abstract boolean readSegments(TapRequest request) throws IOException;

  /**
   * Gives each request of a batch that is still to be done a buffer as long as its segments, one
   * after the other: the guest's own memory, or a copy. For a write it holds the guest's data. A
   * request with pages that are not the guest's gets {@link TapStatus#ERROR}.
   */
  abstract void fetch(RequestBatch batch) throws IOException;

  /**
   * Gives the guest what the requests from {@code from} to {@code to} read, and takes the buffers
   * back.
   */
  abstract void store(RequestBatch batch, int from, int to) throws IOException;

  /**
   * Returns when every access to the guest's memory that this thread made before has succeeded. To
   * be called behind such accesses, and before this thread takes a lock or waits.
   *
   * @throws InternalError if one failed
   */
  void settle() {}

  /**
   * Sleeps until the guest rang or {@link #wake} was called; what happened since the last call
   * counts.
   *
   * @return false if the guest has gone
   */
  abstract boolean await() throws IOException;

  /**
   * True if the guest wants to hear when nothing is on its way any longer: then {@link #isCalm}.
   */
  boolean asksForCalm() {
    return false;
  }

  /** Nothing is on its way, as the guest asked for. */
  void isCalm() throws IOException {}

  /** Wakes whoever awaits, or will. */
  abstract void wake();

  /** True if the bell is to be rung for each batch of responses, asked for or not. */
  boolean isAlwaysRung() {
    return false;
  }

  /** Rings the guest's bell. */
  abstract void ringBell() throws IOException;

  /** Tells the guest that the disk has so many bytes. */
  abstract void announceSize(long bytes);

  /** The guest, in a few words, for the log. */
  @Override
  public abstract String toString();
}
