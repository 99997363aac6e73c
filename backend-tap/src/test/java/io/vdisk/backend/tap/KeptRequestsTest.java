package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ring that goes on as it is after a server that was killed at any instant. */
class KeptRequestsTest {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final int REQUESTS = 0;
  private static final int RESPONSES = 8;
  private static final int STEP = 48;

  private final ByteBuffer memory = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());

  private static List<TapRequest> take(SharedRing ring, RingAbi abi) throws Exception {
    List<TapRequest> taken = new ArrayList<>();
    while (ring.waiting() > 0) {
      TapRequest request = new TapRequest(abi);
      request.take(ring);
      taken.add(request);
    }
    return taken;
  }

  private static TapRequest of(List<TapRequest> requests, long id) {
    return requests.stream().filter(r -> r.id() == id).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @EnumSource
  void nextServerServesJustTheRequestsWithoutResponse(RingAbi abi) throws Exception {
    FrontRing front = new FrontRing(memory, abi);
    for (int i = 0; i < 6; i++) {
      front.next().operation(i % 2, 100 + i).segment(i, 0, 7);
      front.put();
    }
    front.publish();
    SharedRing ring = SharedRing.resume(memory, abi);
    List<TapRequest> taken = take(ring, abi);

    ring.answer(of(taken, 3), TapStatus.OKAY);
    ring.answer(of(taken, 5), TapStatus.ERROR);
    ring.answer(of(taken, 0), TapStatus.OKAY);
    ring.publish();

    assertEquals(new FrontRing.Response(3, 1, 0), front.take());
    assertEquals(new FrontRing.Response(5, 1, -1), front.take());
    assertEquals(new FrontRing.Response(0, 0, 0), front.take());
    Set<String> left = new HashSet<>();
    for (TapRequest request : take(SharedRing.resume(memory, abi), abi)) {
      left.add(request.id() + " " + request.sector() + " " + request.page(0));
    }
    assertEquals(Set.of("1 101 1", "2 102 2", "4 104 4"), left);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void eachRequestIsAnsweredOnceWhateverTheOrderAndHoweverOftenTheServerIsKilled(long seed)
      throws Exception {
    Random random = new Random(seed);
    FrontRing front = new FrontRing(memory, RingAbi.X86_64);
    SharedRing ring = SharedRing.resume(memory, RingAbi.X86_64);
    List<TapRequest> taken = new ArrayList<>();
    int answered = 0;

    for (int asked = 0; answered < 3000; ) {
      while (front.hasRoom() && random.nextInt(4) > 0) {
        front.next().operation(0, asked++);
        front.put();
      }
      front.publish();
      if (random.nextInt(20) == 0) {
        ring = SharedRing.resume(memory, RingAbi.X86_64);
        taken.clear();
      }
      taken.addAll(take(ring, RingAbi.X86_64));
      for (int i = random.nextInt(4); i > 0 && !taken.isEmpty(); i--) {
        ring.answer(taken.remove(random.nextInt(taken.size())), TapStatus.OKAY);
      }
      ring.publish();
      while (front.waiting() > 0) {
        front.take(); // which knows what waits for a response
        answered++;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "1, 0", "2, 3", "2, 0"})
  void responseThatWasBegunIsPutByTheNextServer(int step, int answered) throws Exception {
    FrontRing front = new FrontRing(memory, RingAbi.X86_64);
    for (int i = 0; i < 4; i++) {
      front.next().operation(1, 100 + i);
      front.put();
    }
    front.publish();
    byte[] before = new byte[4096];
    memory.get(0, before);
    SharedRing ring = SharedRing.resume(memory, RingAbi.X86_64);
    List<TapRequest> taken = take(ring, RingAbi.X86_64);
    ring.answer(of(taken, answered), TapStatus.ERROR);
    memory.putInt(RESPONSES, 0).putInt(STEP, step); // as if killed before it was shown
    if (step == 1) {
      memory.put(64, before, 64, 112); // and before the response was written
    }

    SharedRing next = SharedRing.resume(memory, RingAbi.X86_64);

    assertEquals(new FrontRing.Response(answered, 1, -1), front.take());
    Set<Long> left = new HashSet<>(Set.of(0L, 1L, 2L, 3L));
    left.remove((long) answered);
    Set<Long> found = new HashSet<>();
    take(next, RingAbi.X86_64).forEach(request -> found.add(request.id()));
    assertEquals(left, found);
    assertEquals(0, memory.getInt(STEP));
  }

  @ParameterizedTest
  @CsvSource({"0, 32", "0, -1", "0, 2147483647", "1, 0", "-1, 3"})
  void whatAGuestWroteThereLeadsNowhereElse(int index, int place) throws Exception {
    memory.putLong(24, 99).putInt(32, index).putInt(36, place).putInt(STEP, 1);

    SharedRing ring = SharedRing.resume(memory, RingAbi.X86_64);

    assertEquals(0, memory.getInt(RESPONSES));
    assertEquals(0, ring.waiting());
    assertEquals(0, memory.getInt(STEP));
  }

  @Test
  void guestMayFillTheRingAgainAsSoonAsItSeesAResponse() throws Exception {
    SharedRing ring = SharedRing.resume(memory, RingAbi.X86_64);
    int requests = ring.count();
    memory.putInt(REQUESTS, requests); // all alike
    Queue<TapRequest> taken = new ArrayDeque<>(take(ring, RingAbi.X86_64));
    AtomicReference<TapRequest> next = new AtomicReference<>();
    AtomicBoolean hasEnded = new AtomicBoolean();
    Thread answers = new Thread(() -> answer(ring, next, hasEnded));
    answers.start();
    try {
      for (int answered = 0; answered < 100_000; answered++) {
        next.set(taken.remove());
        for (int looks = 0; (int) INT.getAcquire(memory, RESPONSES) == answered; looks++) {
          rest(looks);
        }
        INT.setRelease(memory, REQUESTS, ++requests);
        taken.addAll(take(ring, RingAbi.X86_64)); // which does not find too many
      }
    } finally {
      hasEnded.set(true);
      answers.join();
    }
  }

  private static void answer(
      SharedRing ring, AtomicReference<TapRequest> next, AtomicBoolean hasEnded) {
    for (int looks = 0; !hasEnded.get(); looks++) {
      TapRequest request = next.getAndSet(null);
      if (request == null) {
        rest(looks);
      } else {
        ring.answer(request, TapStatus.OKAY);
      }
    }
  }

  private static void rest(int looks) {
    if (looks % 1000 == 999) {
      Thread.yield();
    } else {
      Thread.onSpinWait();
    }
  }

  @Test
  void requestThatHasMovedIsFoundWhenTheRingHasGoneRound() throws Exception {
    FrontRing front = new FrontRing(memory, RingAbi.X86_64);
    SharedRing ring = SharedRing.resume(memory, RingAbi.X86_64);
    front.next().operation(0, 4711);
    long slow = front.put();
    front.publish();
    TapRequest first = take(ring, RingAbi.X86_64).get(0);
    for (int i = 0; i < 200; i++) {
      front.next().operation(0, i);
      front.put();
      front.publish();
      ring.answer(take(ring, RingAbi.X86_64).get(0), TapStatus.OKAY);
      front.take();
    }

    TapRequest found = take(SharedRing.resume(memory, RingAbi.X86_64), RingAbi.X86_64).get(0);
    ring.answer(first, TapStatus.OKAY);

    assertEquals(4711, found.sector());
    assertEquals(new FrontRing.Response(slow, 0, 0), front.take());
  }
}
