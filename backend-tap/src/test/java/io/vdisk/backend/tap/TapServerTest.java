package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import io.vdisk.BlockDevice;
import io.vdisk.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class TapServerTest {
  private static final long SIZE = 1 << 20;
  private static final int SECTORS = (int) (SIZE / 512);

  @TempDir Path folder;

  private final List<TapServer> servers = new ArrayList<>();
  private final List<SharedFileFrontend> guests = new ArrayList<>();
  private final RateLimit limit = new RateLimit();
  private WatchedDisk disk;
  private SharedFileListener listener;
  private boolean isReadOnly;
  private boolean isSerial;

  @BeforeEach
  void listen() throws IOException {
    disk = new WatchedDisk(SIZE);
    listener =
        SharedFileListener.open(
            folder.resolve("s"),
            new SharedFileListener.Disk() {
              @Override
              public DiskInfo info() {
                return DiskInfo.of(disk.size(), isReadOnly);
              }

              @Override
              public void serve(TapTransport guest) throws IOException {
                ServeOptions options =
                    new ServeOptions(isReadOnly, isSerial, limit, new RequestStatistics());
                synchronized (servers) {
                  servers.add(TapServer.start(guest, disk, options));
                  servers.notifyAll();
                }
              }
            });
  }

  @AfterEach
  void leave() throws IOException {
    disk.mayGo.countDown();
    for (SharedFileFrontend guest : guests) {
      guest.close();
    }
    listener.close();
    synchronized (servers) {
      servers.forEach(TapServer::close);
    }
    disk.close();
  }

  private Guest guest() throws IOException {
    return guest(RingAbi.ofHost(), 1);
  }

  private Guest guest(RingAbi abi, int ringPages) throws IOException {
    SharedFileFrontend frontend =
        SharedFileFrontend.connect(
            folder.resolve("s"),
            folder.resolve("ring" + guests.size()),
            new SharedFileLayout(abi, ringPages, 600));
    guests.add(frontend);
    return new Guest(frontend);
  }

  private TapServer server() throws InterruptedException {
    synchronized (servers) {
      while (servers.size() < guests.size()) {
        servers.wait();
      }
      return servers.get(servers.size() - 1);
    }
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static byte[] content(BlockDevice disk, long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    disk.read(bytes, offset);
    return bytes.array();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsWrittenIsReadAgain(RingAbi abi) throws Exception {
    Guest guest = guest(abi, 1);
    byte[] bytes = random(11 * 4096);

    assertEquals(0, guest.write(3, bytes));
    assertArrayEquals(bytes, guest.read(3, bytes.length));

    assertArrayEquals(bytes, content(disk, 3 * 512, bytes.length));
    assertEquals(SECTORS, guest.frontend().sectors());
  }

  @Test
  void neighbouringPagesAreOneRequestOfTheDevice() throws Exception {
    guest().write(0, random(3 * 4096));

    assertEquals(List.of("write 0 12288"), disk.asked());
  }

  @Test
  void scatteredSegmentsAreOneRequestOfTheDeviceToo() throws Exception {
    Guest guest = guest();
    byte[] bytes = random(5 * 512);
    guest.frontend().data().put(70 * 4096 + 512, bytes, 0, 1024);
    guest.frontend().data().put(7 * 4096, bytes, 1024, 1536);

    int status = guest.status(r -> r.operation(1, 9).segment(70, 1, 2).segment(7, 0, 2));

    assertEquals(0, status);
    assertEquals(List.of("write 4608 2560"), disk.asked());
    assertArrayEquals(bytes, content(disk, 4608, bytes.length));
    assertEquals(0, guest.status(r -> r.operation(0, 9).segment(80, 6, 7).segment(20, 0, 2)));
    assertArrayEquals(
        random(5 * 512), concat(guest.data(80 * 4096 + 3072, 1024), guest.data(20 * 4096, 1536)));
  }

  private static byte[] concat(byte[] a, byte[] b) {
    return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
  }

  @ParameterizedTest
  @EnumSource
  void indirectRequestHasUpTo256Segments(RingAbi abi) throws Exception {
    Guest guest = guest(abi, 1);
    byte[] bytes = random(128 * 4096);
    guest.frontend().data().put(4096, bytes);
    for (int i = 0; i < 256; i++) {
      int half = i % 2 * 4;
      FrontRequest.segment(guest.frontend().data(), 8 * i, 1 + i / 2, half, half + 3);
    }

    long written = guest.ask(r -> r.indirect(1, 8, 256, 0));
    assertEquals(new FrontRing.Response(written, 1, 0), guest.answer(written));

    assertArrayEquals(bytes, content(disk, 4096, bytes.length));
    guest.frontend().data().put(4096, new byte[bytes.length]);
    assertEquals(0, guest.status(r -> r.indirect(0, 8, 256, 0)));
    assertArrayEquals(bytes, guest.data(4096, bytes.length));
  }

  @Test
  void flushAndDiscardReachTheDevice() throws Exception {
    Guest guest = guest();
    guest.write(0, random(8192));

    assertEquals(0, guest.status(r -> r.operation(3, 0)));
    assertEquals(0, guest.status(r -> r.discard(0, 8)));

    assertEquals(List.of("write 0 8192", "flush -2 0", "discard 0 4096"), disk.asked());
    assertArrayEquals(new byte[4096], guest.read(0, 4096));
  }

  @Test
  void flushWithSegmentsFlushesThenWrites() throws Exception {
    Guest guest = guest();

    assertEquals(0, guest.status(r -> r.operation(3, 1).segment(0, 0, 0)));

    assertEquals(List.of("flush -2 0", "write 512 512"), disk.asked());
  }

  @Test
  void barrierComesAfterAllThatWasAskedBeforeAndBeforeAllThatIsAskedLater() throws Exception {
    disk.waitsAt = 0;
    Guest guest = guest();
    long first = guest.ask(r -> r.operation(1, 0).segment(0, 0, 0));
    disk.arrived.await();
    long second = guest.ask(r -> r.operation(1, 8).segment(1, 0, 0));
    long barrier = guest.ask(r -> r.operation(2, 16).segment(2, 0, 0));
    long third = guest.ask(r -> r.operation(1, 24).segment(3, 0, 0));
    long empty = guest.ask(r -> r.operation(2, 0));
    while (!disk.asked().contains("flush -2 0") && !isAWorkerHeldBack()) {
      Thread.onSpinWait();
    }
    disk.mayGo.countDown();

    for (long id : new long[] {first, second, barrier, third, empty}) {
      assertEquals(0, guest.answer(id).status());
    }

    List<String> asked = disk.asked();
    assertEquals(
        List.of("flush -2 0", "write 8192 512", "flush -2 0", "write 12288 512", "flush -2 0"),
        asked.subList(2, asked.size()));
  }

  /** By other requests; not at the ring, nor at the disk. */
  private static boolean isAWorkerHeldBack() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("s, guest 1, worker "))
        .anyMatch(worker -> LockSupport.getBlocker(worker) instanceof Condition);
  }

  @Test
  void requestThatWaitsForItsDiskLetsOthersPass() throws Exception {
    requestThatWaitsLetsOthersPass(guest());
  }

  private void requestThatWaitsLetsOthersPass(Guest guest) throws Exception {
    disk.waitsAt = 0;
    List<Long> later = new ArrayList<>();

    long first = guest.ask(r -> r.operation(0, 0).segment(0, 0, 7));
    disk.arrived.await();
    for (int i = 1; i < 31; i++) {
      int page = i;
      later.add(guest.ask(r -> r.operation(0, page * 8L).segment(page, 0, 7)));
    }
    for (long id : later) {
      assertEquals(0, guest.answer(id).status());
    }
    assertEquals(1, guest.frontend().ring().unansweredCount());
    disk.mayGo.countDown();

    assertEquals(0, guest.answer(first).status());
  }

  @Test
  void flushThatWaitsForItsDiskLetsOthersPassHoweverQuickTheyWere() throws Exception {
    disk.waitsAt = -2;
    Guest guest = guest();
    List<Long> reads = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      assertEquals(0, guest.status(r -> r.operation(0, 0).segment(0, 0, 0)));
    }

    long before = guest.ask(r -> r.operation(0, 0).segment(0, 0, 0));
    long flush = guest.ask(r -> r.operation(3, 0));
    for (int i = 1; i < 20; i++) {
      int page = i;
      reads.add(guest.ask(r -> r.operation(0, page * 8L).segment(page, 0, 7)));
    }
    disk.arrived.await();

    assertEquals(0, guest.answer(before).status());
    for (long id : reads) {
      assertEquals(0, guest.answer(id).status());
    }
    assertEquals(1, guest.frontend().ring().unansweredCount());
    disk.mayGo.countDown();
    assertEquals(0, guest.answer(flush).status());
  }

  @Test
  void guestThatAskedForOneThingAtATimeIsServedByManyWhenItDoesNoLonger() throws Exception {
    Guest guest = guest();
    disk.beforeCalls = TapServerTest::takeLongerThanAnotherWouldBeWoken;
    for (int i = 0; i < 40; i++) {
      assertEquals(0, guest.status(r -> r.operation(0, 0).segment(0, 0, 0)));
    }
    CountDownLatch bothAreAsked = new CountDownLatch(1);
    disk.beforeCalls =
        () -> {
          Uninterruptibles.awaitUninterruptibly(bothAreAsked);
          takeLongerThanAnotherWouldBeWoken();
        };
    long first = guest.ask(r -> r.operation(0, 0).segment(0, 0, 0));
    long second = guest.ask(r -> r.operation(0, 0).segment(1, 0, 0));
    bothAreAsked.countDown();
    assertEquals(0, guest.answer(first).status());
    assertEquals(0, guest.answer(second).status());

    requestThatWaitsLetsOthersPass(guest);
  }

  private static void takeLongerThanAnotherWouldBeWoken() {
    long began = System.nanoTime();
    while (System.nanoTime() - began < 100_000) {
      Thread.onSpinWait();
    }
  }

  @Test
  void serialDiskDoesOneAfterTheOtherEachDurable() throws Exception {
    isSerial = true;
    Guest guest = guest();
    List<Long> ids = new ArrayList<>();
    List<String> expected = new ArrayList<>();

    for (int i = 0; i < 20; i++) {
      int page = i;
      ids.add(guest.ask(r -> r.operation(1, page * 8L).segment(page, 0, 7)));
      expected.add("write " + page * 4096 + " 4096");
      expected.add("flush -2 0");
    }
    for (long id : ids) {
      assertEquals(0, guest.answer(id).status());
    }

    assertEquals(expected, disk.asked());
  }

  @Test
  void requestThatFailsIsAnsweredSoAndTheServerLives() throws Exception {
    disk.failsAt = 4096;
    Guest guest = guest();

    assertEquals(-1, guest.write(8, random(512)));
    assertEquals(0, guest.write(16, random(512)));
  }

  @Test
  void readOnlyDiskRefusesEveryChange() throws Exception {
    isReadOnly = true;
    Guest guest = guest();

    assertTrue(guest.frontend().isReadOnly());
    assertEquals(-1, guest.write(0, random(512)));
    assertEquals(-1, guest.status(r -> r.discard(0, 1)));
    assertEquals(-1, guest.status(r -> r.operation(2, 0).segment(0, 0, 0)));
    assertEquals(0, guest.status(r -> r.operation(2, 0)), "a barrier alone changes nothing");
    guest.read(0, 512);

    assertEquals(List.of("flush -2 0", "flush -2 0", "read 0 512").subList(1, 3), disk.asked());
  }

  @ParameterizedTest
  @CsvSource({
    "a segment that ends before it begins, 0, 0, 5, 4",
    "a segment that leaves its page, 0, 0, 0, 8",
    "a segment that begins outside, 0, 0, 200, 7",
    "the end of the disk within, 2041, 0, 0, 7",
    "the disk ends before, 2048, 0, 0, 0",
    "a sector beyond all counting, 9223372036854775807, 0, 0, 0",
    "a negative sector, -1, 0, 0, 0",
    "a page that is not there, 0, 600, 0, 0",
    "a page far away, 0, -1, 0, 0"
  })
  void requestOutsideIsRefusedAndNothingElse(
      String what, long sector, int page, int first, int last) throws Exception {
    Guest guest = guest();

    for (int operation = 0; operation < 4; operation++) {
      int code = operation;
      assertEquals(
          -1, guest.status(r -> r.operation(code, sector).segment(page, first, last)), what);
    }
    FrontRequest.segment(guest.frontend().data(), 0, page, first, last);
    assertEquals(-1, guest.status(r -> r.indirect(0, sector, 1, 0)), what);

    assertEquals(List.of(), disk.asked());
    assertEquals(0, guest.write(0, random(512)));
  }

  @Test
  void countsOfSegmentsThatAreNotAllowedAreRefused() throws Exception {
    Guest guest = guest();
    int segments = RingAbi.ofHost().segmentCount();

    assertEquals(-1, guest.status(r -> r.operation(0, 0)), "none");
    assertEquals(-1, guest.status(r -> r.operation(1, 0).raw(segments, 12)), "12");
    assertEquals(-1, guest.status(r -> r.operation(2, 0).raw(segments, 255)), "255");
    assertEquals(-1, guest.status(r -> r.indirect(0, 0, 0, 1)), "indirect none");
    assertEquals(-1, guest.status(r -> r.indirect(0, 0, 257, 1)), "indirect 257");
    assertEquals(-1, guest.status(r -> r.indirect(0, 0, 65535, 1)), "indirect 65535");
    assertEquals(-1, guest.status(r -> r.indirect(0, 0, 1, 600)), "no such page");
    assertEquals(-1, guest.status(r -> r.discard(0, SECTORS + 1)), "discard too long");
    assertEquals(-1, guest.status(r -> r.discard(1, -1)), "discard of a negative count");
    assertEquals(List.of(), disk.asked());
  }

  @Test
  void operationsThatAreNotKnownAreNotSupportedAndEchoed() throws Exception {
    Guest guest = guest();

    for (int code : new int[] {4, 7, 99, 255}) {
      long id = guest.ask(r -> r.operation(code, 0).segment(0, 0, 0));
      assertEquals(new FrontRing.Response(id, code, -2), guest.answer(id));
    }
    assertEquals(-2, guest.status(r -> r.indirect(2, 0, 1, 0)), "an indirect barrier");
  }

  @Test
  void ringThatMakesNoSenseEndsItsServerAndNoOther() throws Exception {
    Guest bad = guest();
    TapServer badServer = server();
    Guest good = guest();
    bad.frontend().ringMemory().putInt(0, 1000);
    bad.frontend().ringBell();

    while (bad.frontend().await()) {}

    badServer.close();
    assertFalse(badServer.isServing());
    assertEquals(0, good.write(0, random(512)));
    assertTrue(server().isServing());
  }

  @Test
  void guestThatLeavesEndsItsServer() throws Exception {
    Guest guest = guest();
    guest.write(0, random(512));
    TapServer server = server();

    guest.frontend().close();
    server.awaitEnd();

    assertFalse(server.isServing());
  }

  @Test
  void pauseWaitsForWhatIsOnItsWayAndTakesNothingMore() throws Exception {
    disk.waitsAt = 0;
    Guest guest = guest();
    TapServer server = server();
    long first = guest.ask(r -> r.operation(0, 0).segment(0, 0, 7));
    disk.arrived.await();
    Thread pausing = new Thread(server::pause);
    pausing.start();
    while (pausing.isAlive() && !(LockSupport.getBlocker(pausing) instanceof Condition)) {
      Thread.onSpinWait();
    }
    assertTrue(pausing.isAlive(), "a request is on its way");
    disk.mayGo.countDown();
    pausing.join();
    assertEquals(0, guest.answer(first).status());

    long second = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));
    try (BlockDevice other = Images.ram(SIZE)) {
      other.write(ByteBuffer.wrap(random(4096)), 8192);
      server.resume(other);
      assertEquals(0, guest.answer(second).status());
      assertArrayEquals(random(4096), guest.read(16, 4096));
      server.pause();
      server.resume(disk);
    }
    assertEquals(List.of("read 0 4096"), disk.asked());
  }

  @Test
  void closingAnswersWhatWasTaken() throws Exception {
    disk.waitsAt = 0;
    Guest guest = guest();
    TapServer server = server();
    long first = guest.ask(r -> r.operation(0, 0).segment(0, 0, 7));
    disk.arrived.await();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(server::close);
    disk.mayGo.countDown();
    closed.join();

    assertEquals(0, guest.answer(first).status());
  }

  @Test
  void limitHoldsRequestsBackUntilItIsChanged() throws Exception {
    limit.change(new RateLimit.Rates(1, 1, 0, 0));
    Guest guest = guest();
    assertEquals(0, guest.write(0, random(4096)), "the first one goes, and leaves a debt");
    long second = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));

    limit.change(RateLimit.Rates.UNLIMITED);

    assertEquals(0, guest.answer(second).status());
  }

  @Test
  void pauseDoesNotWaitForALimit() throws Exception {
    limit.change(new RateLimit.Rates(1, 1, 0, 0));
    Guest guest = guest();
    guest.write(0, random(4096));
    long second = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));

    server().pause();
    server().close();
    guest.frontend().reconnect(folder.resolve("s"));
    limit.change(RateLimit.Rates.UNLIMITED);

    assertEquals(0, guest.answer(second).status());
  }

  /** One at a time: whoever holds the request back goes on without letting another one lead. */
  @Test
  void pauseOfASerialDiskDoesNotWaitForALimitEither() throws Exception {
    isSerial = true;
    limit.change(new RateLimit.Rates(1, 1, 0, 0));
    Guest guest = guest();
    for (int i = 0; i < 20; i++) {
      limit.change(new RateLimit.Rates(1, 1, 0, 0));
      long asked = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));

      server().pause();

      limit.change(RateLimit.Rates.UNLIMITED);
      server().resume(disk);
      assertEquals(0, guest.answer(asked).status());
    }
  }

  @Test
  void requestsThatADeadServerLeftAreDoneByTheNext() throws Exception {
    Guest guest = guest();
    server().close();
    long left = guest.ask(r -> r.operation(1, 8).segment(0, 0, 7));

    guest.frontend().reconnect(folder.resolve("s"));

    assertEquals(0, guest.answer(left).status());
    assertEquals(List.of("write 4096 4096"), disk.asked());
  }

  @Test
  void guestIsToldWhenTheDiskGrows() throws Exception {
    Guest guest = guest();
    TapServer server = server();
    try (BlockDevice larger = Images.ram(2 * SIZE)) {
      server.pause();
      server.resume(larger);
      server.announceSize();
      while (guest.frontend().sectors() == SECTORS) {
        guest.frontend().await();
      }

      assertEquals(2 * SECTORS, guest.frontend().sectors());
      assertEquals(0, guest.write(SECTORS, random(512)));
      server.pause();
    }
    server.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 32", "2, 64", "8, 256", "16, 512"})
  void ringOfSeveralPagesHoldsMoreRequests(int pages, int entries) throws Exception {
    Guest guest = guest(RingAbi.ofHost(), pages);
    List<Long> ids = new ArrayList<>();

    for (int i = 0; i < entries; i++) {
      int page = i;
      ids.add(guest.ask(r -> r.operation(1, page % SECTORS).segment(page, 0, 0)));
    }

    for (long id : ids) {
      assertEquals(0, guest.answer(id).status());
    }
    assertEquals(entries, disk.asked().size());
  }
}
