package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest of a simulated Xen: what it asks is done, and what it does wrong is its own trouble. */
@Timeout(60)
class GrantTransportTest {
  private static final long SIZE = 4 << 20;
  private static final int DATA = 1000; // reference of the first page of data
  private static final int PAGES = 300;

  private final SimulatedXen xen = new SimulatedXen();
  private final SimulatedEvents events = new SimulatedEvents();
  private WatchedDisk disk;
  private ByteBuffer data;
  private ByteBuffer memory;
  private FrontRing front;
  private TapServer server;

  @BeforeEach
  void disk() throws IOException {
    disk = new WatchedDisk(SIZE);
    data = xen.grant(IntStream.range(DATA, DATA + PAGES).toArray());
  }

  @AfterEach
  void end() throws IOException {
    disk.mayGo.countDown();
    if (server != null) {
      server.close();
      assertEquals(0, xen.mapped.get(), "nothing stays mapped");
      assertTrue(xen.isClosed && events.isClosed(), "the devices are closed");
    }
    disk.close();
  }

  private static XenRing ring(RingAbi abi, int pages, boolean isPersistent) {
    List<Integer> grants = IntStream.range(8, 8 + pages).boxed().toList();
    return new XenRing(
        SimulatedXen.DOMAIN, 51728, 0, grants, SimulatedEvents.PORT, abi, isPersistent);
  }

  private void serve(RingAbi abi, int pages, boolean isPersistent) throws IOException {
    memory = xen.grant(IntStream.range(8, 8 + pages).toArray());
    front = new FrontRing(memory, abi);
    start(ring(abi, pages, isPersistent));
  }

  private void start(XenRing ring) throws IOException {
    start(ring, new ServeOptions(false, false, new RateLimit(), new RequestStatistics()));
  }

  private void start(XenRing ring, ServeOptions options) throws IOException {
    server = TapServer.start(GrantTransport.connect(ring, xen, events), disk, options);
  }

  private void serve() throws IOException {
    serve(RingAbi.X86_64, 1, false);
  }

  private FrontRing.Response ask(Consumer<FrontRequest> request) throws InterruptedException {
    put(request);
    return answer();
  }

  private void put(Consumer<FrontRequest> request) {
    request.accept(front.next());
    front.put();
    if (front.publish()) {
      events.ring();
    }
  }

  private FrontRing.Response answer() throws InterruptedException {
    while (front.waiting() == 0) {
      int before = events.rings();
      if (front.mayAwaitResponses()) {
        events.awaitRing(before);
      }
    }
    return front.take();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private byte[] data(int at, int length) {
    byte[] bytes = new byte[length];
    data.get(at, bytes);
    return bytes;
  }

  @ParameterizedTest
  @CsvSource({
    "X86_64, 1, false",
    "X86_32, 1, false",
    "X86_64, 4, true",
    "X86_32, 16, true",
    "X86_64, 16, false"
  })
  void whatAGuestWritesItReads(RingAbi abi, int pages, boolean isPersistent) throws Exception {
    serve(abi, pages, isPersistent);
    byte[] bytes = random(8192);
    data.put(0, bytes);

    for (int i = 0; i < 600; i++) { // more than once round
      ask(r -> r.operation(1, 16).segment(DATA, 0, 7).segment(DATA + 1, 0, 7));
      FrontRing.Response read =
          ask(r -> r.operation(0, 16).segment(DATA + 3, 0, 7).segment(DATA + 2, 0, 7));
      assertEquals(0, read.status());
    }

    assertArrayEquals(Arrays.copyOf(bytes, 4096), data(3 * 4096, 4096));
    assertArrayEquals(Arrays.copyOfRange(bytes, 4096, 8192), data(2 * 4096, 4096));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void onlyTheSectorsOfASegmentAreTouched(boolean isPersistent) throws Exception {
    serve(RingAbi.X86_64, 1, isPersistent);
    byte[] before = random(4096);
    data.put(0, before);

    assertEquals(0, ask(r -> r.operation(0, 0).segment(DATA, 3, 4)).status());

    byte[] expected = before.clone();
    Arrays.fill(expected, 3 * 512, 5 * 512, (byte) 0);
    assertArrayEquals(expected, data(0, 4096));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void indirectRequestHasItsSegmentsInAPageOfTheGuests(boolean isPersistent) throws Exception {
    serve(RingAbi.X86_64, 1, isPersistent);
    byte[] bytes = random(256 * 4096);
    data.put(4096, bytes);
    for (int i = 0; i < 256; i++) {
      FrontRequest.segment(data, 8 * i, DATA + 1 + i, 0, 7);
    }

    assertEquals(new FrontRing.Response(0, 1, 0), ask(r -> r.indirect(1, 8, 256, DATA)));
    data.put(4096, new byte[bytes.length]);
    assertEquals(0, ask(r -> r.indirect(0, 8, 256, DATA)).status());

    assertArrayEquals(bytes, data(4096, bytes.length));
    if (!isPersistent) {
      assertEquals(4, xen.copies.get(), "one for the segments and one for the data, each time");
    }
  }

  @Test
  void persistentPagesAreCopiedWithoutACall() throws Exception {
    serve(RingAbi.X86_64, 1, true);

    for (int i = 0; i < 3; i++) {
      assertEquals(0, ask(r -> r.operation(1, 0).segment(DATA, 0, 7)).status());
    }

    assertEquals(0, xen.copies.get());
    assertEquals(2, xen.mapped.get(), "the ring and the page");
  }

  @Test
  void flushBarrierAndDiscardAreServed() throws Exception {
    serve();

    assertEquals(0, ask(r -> r.operation(3, 0)).status());
    assertEquals(0, ask(r -> r.operation(2, 8).segment(DATA, 0, 7)).status());
    assertEquals(0, ask(r -> r.discard(0, 8)).status());

    assertEquals(
        List.of("flush -2 0", "flush -2 0", "write 4096 4096", "flush -2 0", "discard 0 4096"),
        disk.asked());
  }

  @Test
  void pageThatIsNotGrantedIsTheErrorOfItsRequestAlone() throws Exception {
    serve();

    for (int operation : new int[] {0, 1}) {
      assertEquals(
          -1, ask(r -> r.operation(operation, 0).segment(DATA, 0, 7).segment(9999, 0, 7)).status());
      assertEquals(0, ask(r -> r.operation(operation, 0).segment(DATA, 0, 7)).status());
    }
    assertEquals(-1, ask(r -> r.indirect(0, 0, 1, 9999)).status());

    assertTrue(server.isServing());
    assertFalse(disk.asked().contains("write 0 8192"), "what was not read is not written");
  }

  @Test
  void segmentsThatLeaveTheirPageAreNotAskedOfTheKernel() throws Exception {
    serve();

    assertEquals(-1, ask(r -> r.operation(1, 0).segment(DATA, 0, 8)).status());
    assertEquals(-1, ask(r -> r.operation(1, 0).segment(DATA, 255, 7)).status());
    assertEquals(-1, ask(r -> r.operation(1, 0).segment(DATA, 7, 0)).status());

    assertEquals(0, xen.copies.get());
  }

  @Test
  void grantThatIsRevokedWhileItIsReadIntoIsAnError() throws Exception {
    serve();
    disk.waitsAt = 0;
    put(r -> r.operation(0, 0).segment(DATA, 0, 7));
    disk.arrived.await();

    xen.revoke(DATA);
    disk.mayGo.countDown();

    assertEquals(-1, answer().status());
  }

  @Test
  void wantOfMemoryForTheDataIsAnErrorOfItsRequests() throws Exception {
    serve();
    data.put(0, random(4096));
    xen.beforeCalls = GrantTransportTest::wantMemory;
    assertEquals(-1, ask(r -> r.operation(1, 0).segment(DATA, 0, 7)).status());
    assertEquals(-1, ask(r -> r.indirect(1, 0, 1, DATA)).status());
    assertEquals(-1, ask(r -> r.operation(0, 0).segment(DATA, 0, 7)).status());
    xen.beforeCalls = () -> {};

    assertEquals(0, ask(r -> r.operation(1, 0).segment(DATA, 0, 7)).status());
    assertEquals(List.of("read 0 4096", "write 0 4096"), disk.asked());
  }

  private static void wantMemory() {
    throw new OutOfMemoryError("Cannot reserve 1048576 bytes of direct buffer memory");
  }

  @Test
  void kernelThatRefusesACopyIsAnErrorOfItsRequests() throws Exception {
    serve();
    xen.refusesCopies = true;
    assertEquals(-1, ask(r -> r.operation(1, 0).segment(DATA, 0, 7)).status());
    xen.refusesCopies = false;

    assertEquals(0, ask(r -> r.operation(1, 0).segment(DATA, 0, 7)).status());
  }

  @ParameterizedTest
  @ValueSource(ints = {33, -1, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void indicesThatJumpEndTheRing(int requests) throws Exception {
    serve();
    memory.putInt(0, requests);
    events.ring();

    server.awaitEnd();

    assertFalse(server.isServing());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void garbageThatChangesWhileItIsReadIsAnswered(long seed) throws Exception {
    serve(RingAbi.X86_64, 1, seed == 3);
    Random random = new Random(seed);
    int requests = 0;

    for (int round = 0; round < 2000 && server.isServing(); round++) {
      for (int i = 0; i < 20; i++) {
        int at = 64 + random.nextInt(32) * 112 + random.nextInt(14) * 8;
        memory.putLong(at, random.nextBoolean() ? random.nextLong() : random.nextInt(1200));
      }
      requests += Math.max(0, Math.min(32 - (requests - memory.getInt(8)), random.nextInt(8)));
      memory.putInt(0, requests);
      events.ring();
    }

    for (String asked : disk.asked()) {
      String[] words = asked.split(" ", -1);
      long offset = Long.parseLong(words[1]);
      assertTrue(offset == -2 || offset >= 0 && offset + Long.parseLong(words[2]) <= SIZE, asked);
    }
  }

  @Test
  void closingInTheMiddleAnswersWhatWasTaken() throws Exception {
    serve();
    disk.waitsAt = 0;
    put(r -> r.operation(1, 0).segment(DATA, 0, 7));
    disk.arrived.await();
    Thread closer = new Thread(server::close);
    closer.start();

    disk.mayGo.countDown();
    closer.join();

    assertEquals(0, front.take().status());
  }

  @Test
  void barrierIsNotDoneWhereAWriteBeforeItWasGivenUpButByTheNextServer() throws Exception {
    memory = xen.grant(8);
    front = new FrontRing(memory, RingAbi.X86_64);
    put(r -> r.operation(1, 0).segment(DATA, 0, 7));
    put(r -> r.operation(2, 8).segment(DATA, 0, 7));
    AtomicBoolean isFirst = new AtomicBoolean(true);
    disk.beforeCalls =
        () -> {
          if (isFirst.getAndSet(false)) {
            Uninterruptibles.awaitUninterruptibly(disk.mayGo);
            throw new StackOverflowError("told to give up");
          }
        };
    ServeOptions options = new ServeOptions(false, false, new RateLimit(), new RequestStatistics());
    start(ring(RingAbi.X86_64, 1, false), options);
    while (options.counters().snapshot().taken() < 2) {
      Thread.onSpinWait();
    }

    disk.mayGo.countDown();
    server.awaitEnd();

    assertEquals(0, front.waiting());
    assertEquals(List.of(), disk.asked());
    start(ring(RingAbi.X86_64, 1, false));
    assertEquals(new FrontRing.Response(0, 1, 0), answer());
    assertEquals(new FrontRing.Response(1, 2, 0), answer());
    assertEquals(
        List.of("write 0 4096", "flush -2 0", "write 4096 4096", "flush -2 0"), disk.asked());
  }

  @Test
  void ringThatWasLeftIsGoneOnWith() throws Exception {
    memory = xen.grant(8);
    front = new FrontRing(memory, RingAbi.X86_64);
    front.next().operation(1, 0).segment(DATA, 0, 7);
    front.put();
    front.publish();

    start(ring(RingAbi.X86_64, 1, false));

    assertEquals(0, answer().status());
  }

  @Test
  void guestIsWokenWithoutAnAnswerToo() throws Exception {
    memory = xen.grant(8);
    front = new FrontRing(memory, RingAbi.X86_64);

    start(ring(RingAbi.X86_64, 1, false));

    assertEquals(1, events.awaitRing(0), "perhaps its last response was not told");
  }

  @Test
  void sameFrontEndHasTheSameSessionAndAnotherOneAnother() throws Exception {
    xen.grant(8, 9);
    long session = session(ring(RingAbi.X86_64, 1, false));

    assertEquals(session, session(ring(RingAbi.X86_64, 1, true)));
    assertNotEquals(session, session(ring(RingAbi.X86_64, 2, false)));
    assertNotEquals(
        session,
        session(
            new XenRing(
                SimulatedXen.DOMAIN,
                51728,
                1,
                List.of(8),
                SimulatedEvents.PORT,
                RingAbi.X86_64,
                false)));
  }

  private long session(XenRing ring) throws IOException {
    try (GrantTransport transport = GrantTransport.connect(ring, xen, events)) {
      return transport.session();
    }
  }

  @Test
  void ringThatIsNotGrantedIsOneSentenceAndClosesTheDevices() {
    IOException thrown =
        assertThrows(IOException.class, () -> start(ring(RingAbi.X86_64, 2, false)));

    assertEquals(
        "domain 5 did not grant us what it named, 8, 9: Invalid argument", thrown.getMessage());
    assertTrue(xen.isClosed && events.isClosed());
    assertEquals(0, xen.mapped.get());
  }

  @Test
  void withoutXenOneSentenceSaysSo() {
    IOException thrown =
        assertThrows(
            IOException.class, () -> GrantTransport.connect(ring(RingAbi.X86_64, 1, false)));

    assertTrue(thrown.getMessage().startsWith("domain 5, device 51728: "), thrown.getMessage());
  }
}
