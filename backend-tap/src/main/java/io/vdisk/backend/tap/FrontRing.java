package io.vdisk.backend.tap;

import static io.vdisk.backend.tap.RingAbi.REQUESTS;
import static io.vdisk.backend.tap.RingAbi.REQUEST_EVENT;
import static io.vdisk.backend.tap.RingAbi.RESPONSES;
import static io.vdisk.backend.tap.RingAbi.RESPONSE_EVENT;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The front end's side of a ring ({@link SharedRing} is the other): it puts requests and takes
 * responses. It keeps a copy of each request until its response is there, so that they can be put
 * again for a server that has taken the place of one that died.
 *
 * <p>One thread at a time. What a caller says of a request is written as it is, right or wrong.
 */
public final class FrontRing {
  /**
   * A response.
   *
   * @param id what {@link #put} returned
   * @param operation that of the request
   * @param status 0 done, -1 failed, -2 not supported
   */
  public record Response(long id, int operation, int status) {}

  private static final VarHandle INDEX =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private final ByteBuffer memory;
  private final RingAbi abi;
  private final int count;
  private final byte[] @Nullable [] unanswered;
  private final long[] turn; // by id, as unanswered: how many were asked before
  private final Deque<Integer> free = new ArrayDeque<>();
  private final FrontRequest request;

  private long asked;
  private int put;
  private int published;
  private int taken;

  /** Makes a new ring in this memory. */
  FrontRing(ByteBuffer memory, RingAbi abi) {
    this.memory = memory;
    this.abi = abi;
    this.count = abi.entryCount(memory.capacity());
    this.unanswered = new byte[count][];
    this.turn = new long[count];
    this.request = new FrontRequest(abi);
    for (int id = 0; id < count; id++) {
      free.add(id);
    }
    reset();
  }

  private void reset() {
    put = 0;
    published = 0;
    taken = 0;
    INDEX.setVolatile(memory, REQUESTS, 0);
    INDEX.setVolatile(memory, RESPONSES, 0);
    INDEX.setVolatile(memory, REQUEST_EVENT, 1);
    INDEX.setVolatile(memory, RESPONSE_EVENT, 1);
  }

  /** True if a further request can be put. */
  public boolean hasRoom() {
    return !free.isEmpty();
  }

  /** Requests without response. */
  public int unansweredCount() {
    return count - free.size();
  }

  /** What the next request is written into, before {@link #put}. */
  public FrontRequest next() {
    request.clear();
    return request;
  }

  /**
   * Puts the request that was written into {@link #next}. There must be room.
   *
   * @return its id, which is another one's after its response
   */
  public int put() {
    int id = free.remove();
    byte[] copy = request.copy(id);
    unanswered[id] = copy;
    turn[id] = asked++;
    memory.put(offset(put++), copy);
    return id;
  }

  /**
   * Shows the server what was put.
   *
   * @return true if it asked to be woken for it
   */
  public boolean publish() {
    int before = published;
    published = put;
    INDEX.setRelease(memory, REQUESTS, put);
    VarHandle.fullFence();
    int event = (int) INDEX.getOpaque(memory, REQUEST_EVENT);
    return Integer.compareUnsigned(put - event, put - before) < 0;
  }

  /** Responses that wait to be taken. */
  public int waiting() {
    return (int) INDEX.getAcquire(memory, RESPONSES) - taken;
  }

  /** The next of the responses that wait. */
  public Response take() {
    int at = offset(taken++);
    Response response =
        new Response(memory.getLong(at), memory.get(at + 8) & 0xff, memory.getShort(at + 10));
    int id = (int) response.id();
    if (unanswered[id] == null) {
      throw new IllegalStateException("a response to a request that waits for none: " + response);
    }
    unanswered[id] = null;
    free.add(id);
    return response;
  }

  /**
   * Asks to be woken at the next response.
   *
   * @return true if none is there yet: now the caller may sleep
   */
  public boolean mayAwaitResponses() {
    INDEX.setOpaque(memory, RESPONSE_EVENT, taken + 1);
    VarHandle.fullFence();
    return waiting() == 0;
  }

  /**
   * Begins the ring anew, with the requests that have no response, in their order: a barrier may be
   * among them. The server must be gone.
   */
  void restart() {
    reset();
    Integer[] ids = IntStream.range(0, count).boxed().toArray(Integer[]::new);
    Arrays.sort(ids, Comparator.comparingLong(id -> turn[id]));
    for (int id : ids) {
      byte[] each = unanswered[id];
      if (each != null) {
        memory.put(offset(put++), each);
      }
    }
  }

  private int offset(int index) {
    return RingAbi.HEADER_SIZE + (index & (count - 1)) * abi.entrySize();
  }
}
