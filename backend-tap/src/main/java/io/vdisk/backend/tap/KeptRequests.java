package io.vdisk.backend.tap;

import static io.vdisk.backend.tap.RingAbi.RESPONSES;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the requests without response in the ring, whole, and nothing else from {@code rsp_prod} to
 * {@code req_prod}: for a guest that goes on with its ring as it is when its server was killed. The
 * next server serves just these.
 *
 * <p>A response takes the place of the oldest entry, whose request may still be under way: that
 * request moves to where the one stands that is being answered. The front end does not mind; it
 * looks at responses only, and keeps its requests elsewhere. What is being done is written down
 * first, so that the next server can finish it, in bytes of the ring's header that nobody uses:
 *
 * <pre>
 *  24  u64  id of the response
 *  32  u32  its index
 *  36  u32  the place of the request that it answers
 *  40  u32  its operation
 *  44  s32  its status
 *  48  u32  0 nothing is being done; 1 the oldest request is moved; 2 the response is written
 * </pre>
 *
 * <p>One thread at a time takes, one at a time answers; whoever answers has seen what was taken
 * before.
 */
final class KeptRequests {
  private static final int ID = 24;
  private static final int RESPONSE_INDEX = 32;
  private static final int PLACE = 36;
  private static final int OPERATION = 40;
  private static final int STATUS = 44;
  private static final int STEP = 48;

  private static final int NOTHING = 0;
  private static final int MOVES = 1;
  private static final int ANSWERS = 2;

  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private final ByteBuffer memory;
  private final RingAbi abi;
  private final int count;
  private final @Nullable TapRequest[] standing; // by place; null: none, or answered

  /** Of a ring; what another server left half done there is done. */
  KeptRequests(ByteBuffer memory, RingAbi abi, int count) {
    this.memory = memory;
    this.abi = abi;
    this.count = count;
    this.standing = new TapRequest[count];
    finish();
  }

  private static int responses(ByteBuffer ring) {
    return (int) INT.getAcquire(ring, RESPONSES);
  }

  /** The guest can have written anything there: it gets a wrong response of its own making. */
  private void finish() {
    int step = (int) INT.getAcquire(memory, STEP);
    int index = memory.getInt(RESPONSE_INDEX);
    int place = memory.getInt(PLACE);
    if (index == responses(memory) && place >= 0 && place < count) {
      if (step == MOVES) {
        move(index & (count - 1), place);
      }
      if (step == MOVES || step == ANSWERS) {
        short status = (short) memory.getInt(STATUS);
        abi.putResponse(
            memory, index & (count - 1), memory.getLong(ID), memory.getInt(OPERATION), status);
        show(index);
      }
    }
    INT.setRelease(memory, STEP, NOTHING);
  }

  /** A request was taken out of this entry of the ring. */
  void took(TapRequest request, int place) {
    request.setPlace(place);
    standing[place] = request;
  }

  /** Puts the response of this index, which is to be shown next. */
  void answer(TapRequest request, int index, TapStatus status) {
    int oldest = index & (count - 1);
    int place = request.place();
    writeDown(request, index, status);
    TapRequest other = standing[oldest];
    if (place != oldest && other != null) {
      INT.setRelease(memory, STEP, MOVES);
      VarHandle.storeStoreFence();
      move(oldest, place);
      other.setPlace(place);
    }
    standing[place] = place == oldest ? null : other;
    standing[oldest] = null;
    INT.setRelease(memory, STEP, ANSWERS);
    VarHandle.storeStoreFence();
    abi.putResponse(memory, oldest, request.id(), request.echoedCode(), status.code());
  }

  private void writeDown(TapRequest request, int index, TapStatus status) {
    INT.setRelease(memory, STEP, NOTHING);
    VarHandle.storeStoreFence();
    memory
        .putLong(ID, request.id())
        .putInt(RESPONSE_INDEX, index)
        .putInt(PLACE, request.place())
        .putInt(OPERATION, request.echoedCode())
        .putInt(STATUS, status.code());
  }

  private void move(int from, int to) {
    memory.put(abi.offset(to), memory, abi.offset(from), abi.entrySize());
  }

  /** Shows the response of this index, before anything of another one is written. */
  void show(int index) {
    INT.setRelease(memory, RESPONSES, index + 1);
    VarHandle.storeStoreFence();
  }
}
