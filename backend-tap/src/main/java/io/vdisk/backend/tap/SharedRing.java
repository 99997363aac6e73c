package io.vdisk.backend.tap;

import static io.vdisk.backend.tap.RingAbi.REQUESTS;
import static io.vdisk.backend.tap.RingAbi.REQUEST_EVENT;
import static io.vdisk.backend.tap.RingAbi.RESPONSES;
import static io.vdisk.backend.tap.RingAbi.RESPONSE_EVENT;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The back end's side of a ring: it takes requests out and puts responses in.
 *
 * <pre>
 *   0        4           8        12          16      64
 *  | req_prod | req_event | rsp_prod | rsp_event |  ...  | entry 0 | entry 1 | ... | entry n - 1 |
 * </pre>
 *
 * <p>The indices count for ever, modulo 2^32; entry {@code index mod n} is meant, n a power of two.
 * The front end adds requests and raises {@code req_prod}; we take them, and put each response
 * where the oldest request was that has none, so that responses come in any order. A side that
 * wants to sleep writes the index at which it is to be woken into its {@code event} field, and
 * looks once more.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>{@code rsp_prod <= requests taken <= req_prod <= rsp_prod + n}. We see to the first two.
 *       The front end that breaks the third has lost its mind or wishes us harm: the ring is given
 *       up.
 *   <li>A request is copied out once, and looked at in the copy only.
 *   <li>A response is complete before {@code rsp_prod} says that it is there.
 * </ol>
 *
 * <p>One thread at a time takes, one at a time puts; both may do so at once.
 *
 * <p>Source: Xen, {@code xen/include/public/io/ring.h}.
 */
final class SharedRing {
  private static final VarHandle INDEX =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private final ByteBuffer memory;
  private final RingAbi abi;
  private final int count;

  private final Optional<KeptRequests> kept;

  private int taken;
  private int published;

  /**
   * Written by whoever puts, read by whoever takes. It never lies behind what the front end sees,
   * which may put another request as soon as it sees a response.
   */
  private volatile int put;

  private SharedRing(ByteBuffer memory, RingAbi abi, boolean keepsRequests) {
    if (!memory.isDirect() || memory.capacity() < 4096) {
      throw new IllegalArgumentException("not the memory of a ring: " + memory);
    }
    this.memory = memory.duplicate().order(ByteOrder.nativeOrder());
    this.abi = abi;
    this.count = abi.entryCount(memory.capacity());
    this.kept =
        keepsRequests ? Optional.of(new KeptRequests(this.memory, abi, count)) : Optional.empty();
    this.put = index(RESPONSES);
    this.published = put;
    this.taken = put;
  }

  /**
   * The ring that lies in this memory, from where the responses end. After a server that was killed
   * it is to begin anew: responses took the places of requests that have none.
   *
   * @param memory direct, 4096 bytes times a power of two
   */
  static SharedRing attach(ByteBuffer memory, RingAbi abi) {
    return new SharedRing(memory, abi, false);
  }

  /** The same, and a ring that goes on as it is after a server that was killed. */
  static SharedRing resume(ByteBuffer memory, RingAbi abi) {
    return new SharedRing(memory, abi, true);
  }

  /** Entries. */
  int count() {
    return count;
  }

  /**
   * Requests that wait to be taken.
   *
   * @throws BrokenRingException if the front end says that there are more than fit
   */
  int waiting() throws BrokenRingException {
    int requests = index(REQUESTS);
    if (Integer.compareUnsigned(requests - put, count) > 0) {
      throw new BrokenRingException(
          "the guest's ring of "
              + count
              + " entries says that "
              + Integer.toUnsignedString(requests - put)
              + " requests have no response");
    }
    int waiting = requests - taken;
    if (waiting < 0) {
      throw new BrokenRingException(
          "the guest took back "
              + -(long) waiting
              + " requests: its index went from "
              + Integer.toUnsignedString(taken)
              + " to "
              + Integer.toUnsignedString(requests));
    }
    return waiting;
  }

  /** Copies the next of the requests that {@link #waiting} told out of the ring. */
  void take(TapRequest request, ByteBuffer copy) {
    int place = taken & (count - 1);
    copy.put(0, memory, abi.offset(place), abi.entrySize());
    if (kept.isPresent()) {
      kept.get().took(request, place);
    }
    taken++;
  }

  /**
   * Asks to be woken at the next request.
   *
   * @return true if none is there yet: now the caller may sleep
   */
  boolean mayAwaitRequests() throws BrokenRingException {
    INDEX.setOpaque(memory, REQUEST_EVENT, taken + 1);
    VarHandle.fullFence();
    return waiting() == 0;
  }

  /** Adds the response to a request that was taken. */
  void answer(TapRequest request, TapStatus status) {
    if (kept.isPresent()) {
      int index = put;
      kept.get().answer(request, index, status);
      put = index + 1;
      kept.get().show(index);
    } else {
      put(request.id(), request.echoedCode(), status);
    }
  }

  /** Adds a response; the front end sees it after {@link #publish}. */
  void put(long id, int operation, TapStatus status) {
    int index = put;
    abi.putResponse(memory, index & (count - 1), id, operation, status.code());
    put = index + 1;
  }

  /**
   * Shows the front end the responses that were put.
   *
   * @return true if it asked to be woken for one of them
   */
  boolean publish() {
    int before = published;
    int now = put;
    published = now;
    INDEX.setRelease(memory, RESPONSES, now);
    VarHandle.fullFence();
    int event = (int) INDEX.getOpaque(memory, RESPONSE_EVENT);
    return Integer.compareUnsigned(now - event, now - before) < 0;
  }

  private int index(int offset) {
    return (int) INDEX.getAcquire(memory, offset);
  }
}
