package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SharedRingTest {
  private static final int REQUESTS = 0;
  private static final int REQUEST_EVENT = 4;
  private static final int RESPONSES = 8;
  private static final int RESPONSE_EVENT = 12;

  private ByteBuffer memory;
  private SharedRing ring;
  private TapRequest request;

  @BeforeEach
  void emptyRing() {
    memory = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());
    memory.putInt(REQUEST_EVENT, 1).putInt(RESPONSE_EVENT, 1);
    attach(RingAbi.X86_64);
  }

  private void attach(RingAbi abi) {
    ring = SharedRing.attach(memory, abi);
    request = new TapRequest(abi);
  }

  @Test
  void requestIsReadFieldByField() throws Exception {
    memory.put(64, (byte) 1).put(65, (byte) 2); // write, two segments
    memory.putLong(72, 0x1122334455667788L).putLong(80, 4711);
    memory.putInt(88, 17).put(92, (byte) 3).put(93, (byte) 7);
    memory.putInt(96, 18).put(100, (byte) 0).put(101, (byte) 1);
    memory.putInt(REQUESTS, 1);

    assertEquals(1, ring.waiting());
    request.take(ring);

    assertEquals(TapOperation.WRITE, request.operation());
    assertEquals(0x1122334455667788L, request.id());
    assertEquals(4711, request.sector());
    assertEquals(7, request.sectorCount());
    assertEquals(List.of(17, 18), List.of(request.page(0), request.page(1)));
    assertEquals(List.of(1536, 0), List.of(request.offsetOf(0), request.offsetOf(1)));
    assertEquals(List.of(2560, 1024), List.of(request.lengthOf(0), request.lengthOf(1)));
    assertEquals(0, ring.waiting());
  }

  @Test
  void discardAndIndirectHaveFieldsOfTheirOwn() throws Exception {
    memory.put(64, (byte) 5).put(65, (byte) 1).putLong(72, 1).putLong(80, 8).putLong(88, 1L << 33);
    memory.put(176, (byte) 6).put(177, (byte) 1).putShort(178, (short) 256).putLong(184, 2);
    memory.putLong(192, 16).putInt(204, 99);
    memory.putInt(REQUESTS, 2);

    ring.waiting();
    request.take(ring);
    assertEquals(TapOperation.DISCARD, request.operation());
    assertEquals(1L << 33, request.sectorCount());
    request.take(ring);

    assertTrue(request.isIndirect());
    assertEquals(TapOperation.WRITE, request.operation());
    assertEquals(256, request.segmentCount());
    assertEquals(99, request.indirectPage(0));
    assertEquals(1, request.indirectPageCount());
  }

  @ParameterizedTest
  @EnumSource
  void bothEndsAgreeAroundTheRingAndAroundTheIndexOfThirtyTwoBits(RingAbi abi) throws Exception {
    FrontRing front = new FrontRing(memory, abi);
    attach(abi);
    List<Long> answered = new ArrayList<>();

    for (int i = 0; i < 1000; i++) {
      front.next().operation(0, i).segment(i, 0, 7);
      int id = front.put();
      front.publish();
      assertEquals(1, ring.waiting());
      request.take(ring);
      assertEquals(i, request.sector());
      assertEquals(i, request.page(0));
      ring.put(request.id(), request.code(), TapStatus.OKAY);
      ring.publish();
      assertEquals(1, front.waiting());
      assertEquals(new FrontRing.Response(id, 0, 0), front.take());
      answered.add((long) id);
    }

    assertEquals(1000, answered.size());
    assertEquals(1000, memory.getInt(REQUESTS));
  }

  @Test
  void indicesMayPassTheGreatestNumber() throws Exception {
    memory.putInt(REQUESTS, -2).putInt(RESPONSES, -2);
    attach(RingAbi.X86_64);

    memory.putInt(REQUESTS, 3); // five more
    assertEquals(5, ring.waiting());
    for (int i = 0; i < 5; i++) {
      request.take(ring);
      ring.put(i, 0, TapStatus.OKAY);
    }
    ring.publish();

    assertEquals(3, memory.getInt(RESPONSES));
    assertEquals(0, ring.waiting());
  }

  @Test
  void responseIsWrittenFieldByFieldWhereTheOldestRequestWas() throws Exception {
    memory.putInt(REQUESTS, 2);
    ring.waiting();
    request.take(ring);
    request.take(ring);

    ring.put(0x0102030405060708L, 1, TapStatus.ERROR);
    ring.put(5, 9, TapStatus.UNSUPPORTED);

    assertEquals(0x0102030405060708L, memory.getLong(64));
    assertEquals(1, memory.get(72));
    assertEquals(-1, memory.getShort(74));
    assertEquals(5, memory.getLong(176));
    assertEquals(9, memory.get(184));
    assertEquals(-2, memory.getShort(186));
    assertEquals(0, memory.getInt(RESPONSES), "not before they are published");
    ring.publish();
    assertEquals(2, memory.getInt(RESPONSES));
  }

  @Test
  void bellIsRungForTheResponseAtWhichTheGuestWantsToBeWoken() throws Exception {
    memory.putInt(REQUESTS, 6).putInt(RESPONSE_EVENT, 3);
    ring.waiting();
    List<Boolean> rung = new ArrayList<>();

    for (int batch : new int[] {1, 1, 2, 2}) {
      for (int i = 0; i < batch; i++) {
        request.take(ring);
        ring.put(i, 0, TapStatus.OKAY);
      }
      rung.add(ring.publish());
    }

    assertEquals(List.of(false, false, true, false), rung);
    assertFalse(ring.publish(), "nothing new");
  }

  @Test
  void bellIsRungForTheVeryResponseAtWhichTheGuestWantsToBeWoken() throws Exception {
    memory.putInt(REQUESTS, 1);
    ring.waiting();
    request.take(ring);
    ring.put(0, 0, TapStatus.OKAY);

    assertTrue(ring.publish());
  }

  @Test
  void requestStaysWhatItWasWhenItWasTaken() throws Exception {
    memory.put(64, (byte) 1).put(65, (byte) 1).putLong(72, 5).putLong(80, 4711);
    memory.putInt(88, 17).put(92, (byte) 3).put(93, (byte) 7);
    memory.putInt(REQUESTS, 1);
    ring.waiting();
    request.take(ring);

    for (int at = 64; at < 176; at++) {
      memory.put(at, (byte) 0x7f);
    }

    assertEquals(List.of(5L, 4711L), List.of(request.id(), request.sector()));
    assertEquals(TapOperation.WRITE, request.operation());
    assertEquals(List.of(1, 17), List.of(request.segmentCount(), request.page(0)));
    assertEquals(List.of(1536, 2560), List.of(request.offsetOf(0), request.lengthOf(0)));
  }

  @Test
  void asksToBeWokenAtTheNextRequestAndLooksOnceMore() throws Exception {
    assertTrue(ring.mayAwaitRequests());
    assertEquals(1, memory.getInt(REQUEST_EVENT));
    memory.putInt(REQUESTS, 1);

    assertFalse(ring.mayAwaitRequests(), "one came meanwhile");
  }

  @Test
  void ringLeftByAnotherServerIsTakenFromItsFirstRequestWithoutResponse() throws Exception {
    memory.put(64 + 7 * 112, (byte) 1).putLong(72 + 7 * 112, 42);
    memory.putInt(REQUESTS, 8).putInt(RESPONSES, 7);

    attach(RingAbi.X86_64);

    assertEquals(1, ring.waiting());
    request.take(ring);
    assertEquals(42, request.id());
  }

  @Test
  void moreRequestsThanFitAreNotBelieved() {
    memory.putInt(REQUESTS, 33);

    BrokenRingException thrown = assertThrows(BrokenRingException.class, () -> ring.waiting());

    assertEquals(
        "the guest's ring of 32 entries says that 33 requests have no response",
        thrown.getMessage());
  }

  @Test
  void requestsThatAreTakenBackAreNotBelieved() throws Exception {
    memory.putInt(REQUESTS, 3);
    ring.waiting();
    request.take(ring);
    request.take(ring);
    memory.putInt(REQUESTS, 1);

    assertThrows(BrokenRingException.class, () -> ring.waiting());
  }

  @Test
  void heapMemoryIsNoRing() {
    assertThrows(
        IllegalArgumentException.class,
        () -> SharedRing.attach(ByteBuffer.allocate(4096), RingAbi.X86_64));
  }
}
