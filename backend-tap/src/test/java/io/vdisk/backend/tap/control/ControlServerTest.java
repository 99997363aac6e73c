package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.control.MemoryDisks.MemoryDisk;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskKey;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.backend.tap.disk.OpenFlag;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ControlServerTest {
  private static final int PID = 4711;
  private static final Optional<Duration> FOR_EVER = Optional.empty();

  @TempDir Path temporary;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final MemoryDisks disks =
      new MemoryDisks().with("vhd:/a", 8192).with("vhd:/b", 8192).with("aio:/small", 8);
  private ControlFolder folder;
  private ControlServer server;
  private Future<?> running;
  private ControlClient client;

  @BeforeEach
  void start() throws IOException {
    Requirements.need("flock");
    folder = new ControlFolder(temporary.toRealPath().resolve("c"));
    start(Generation.TODAY, ControlServer.TIMEOUT);
    Minors minors = new Minors(folder);
    minors.allocate();
    minors.allocate();
  }

  private void start(Generation generation, Duration timeout) throws IOException {
    start(generation, timeout, LastClosings.PATIENCE);
  }

  private void start(Generation generation, Duration timeout, Duration patience)
      throws IOException {
    server = ControlServer.open(folder, PID, generation, timeout, disks, GuestRings.none());
    running =
        pool.submit(
            () -> {
              server.run(patience);
              return 0;
            });
    client = new ControlClient(folder, generation);
  }

  @AfterEach
  void stop() {
    server.close();
    pool.shutdownNow();
  }

  /** Ends the server of today, and begins another. */
  private void restart(Generation generation, Duration timeout) throws IOException {
    server.close();
    start(generation, timeout);
  }

  private static void fails(int number, Executable body) {
    DiskException failure = assertThrows(DiskException.class, body);
    assertEquals(number, failure.number(), failure.sentence());
  }

  private void awaitEnd() throws InterruptedException, ExecutionException, TimeoutException {
    running.get(60, TimeUnit.SECONDS);
  }

  @Test
  void diskGoesFromAttachingToDetaching()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    assertEquals(PID, client.pid(PID));
    assertEquals(List.of(), client.list(PID));
    client.attach(PID, 1);
    assertEquals(List.of(new DiskLine(1, 1, 0, "")), client.list(PID));
    assertEquals(
        new DiskInfo(8192, 512, 4),
        client.open(PID, 1, OpenRequest.of("vhd:/a", OpenFlag.READ_ONLY)));
    assertEquals(List.of(new DiskLine(1, 1, 0, "vhd:/a")), client.list(PID));
    assertEquals(new DiskInfo(8192, 512, 4), client.info(PID, 1));
    client.pause(PID, 1, FOR_EVER);
    client.pause(PID, 1, FOR_EVER);
    assertEquals(List.of(new DiskLine(1, 1, 0x2a, "vhd:/a")), client.list(PID));
    client.resume(PID, 1, ResumeRequest.SAME);
    assertEquals(List.of(new DiskLine(1, 1, 0, "vhd:/a")), client.list(PID));
    client.close(PID, 1, false, FOR_EVER);
    assertEquals(List.of(new DiskLine(1, 1, 2, "")), client.list(PID));
    client.detach(PID, 1);

    awaitEnd();
    assertFalse(Files.exists(server.socket()));
    new Minors(folder).free(1);
  }

  @Test
  void errorsHaveTheNumbersOfXapi() throws IOException {
    fails(22, () -> client.open(PID, 0, OpenRequest.of("vhd:/a")));
    fails(19, () -> client.detach(PID, 0));
    fails(19, () -> client.close(PID, 0, false, FOR_EVER));
    fails(19, () -> client.pause(PID, 0, FOR_EVER));
    fails(19, () -> client.resume(PID, 0, ResumeRequest.SAME));
    fails(19, () -> client.statistics(PID, 0));
    fails(19, () -> client.info(PID, 0));
    fails(2, () -> client.attach(PID, 9));
    client.attach(PID, 0);
    fails(17, () -> client.attach(PID, 0));
    fails(2, () -> client.open(PID, 0, OpenRequest.of("vhd:/unknown")));
    fails(22, () -> client.open(PID, 0, OpenRequest.of("/a")));
    fails(22, () -> client.resume(PID, 0, ResumeRequest.SAME));
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    fails(114, () -> client.open(PID, 0, OpenRequest.of("vhd:/a")));
    fails(16, () -> client.detach(PID, 0));
    fails(11, () -> new Minors(folder).free(0));
    client.pause(PID, 0, FOR_EVER);
    ResumeRequest small = ResumeRequest.of("aio:/small");
    fails(124, () -> client.resume(PID, 0, small));
    assertEquals(0x22a, client.list(PID).get(0).state());
    fails(2, () -> new ControlClient(folder, Generation.TODAY).pid(1));
  }

  @Test
  void sentenceComesWithTheNumber() throws IOException {
    client.attach(PID, 0);
    DiskException failure =
        assertThrows(
            DiskException.class, () -> client.open(PID, 0, OpenRequest.of("vhd:/unknown")));
    assertEquals("there is no vhd:/unknown", failure.sentence());
  }

  @Test
  void openingTakesEverythingWithIt() throws IOException {
    client.attach(PID, 0);
    byte[] key = new byte[64];
    key[63] = 7;
    OpenRequest request =
        new OpenRequest(
            "vhd:/a",
            Set.of(OpenFlag.STANDBY),
            Optional.of(Path.of("/log")),
            Optional.of("aio:/mirror"),
            Optional.of(new DiskKey(key)),
            OptionalInt.of(3),
            600);

    client.open(PID, 0, request);

    MemoryDisk disk = disks.attached.get(0);
    assertEquals(request, disk.asked.orElseThrow());
    ResumeRequest resuming =
        new ResumeRequest(
            Optional.of("vhd:/b"), Optional.of(Path.of("/another")), Optional.of("aio:/mirror"));
    client.pause(PID, 0, FOR_EVER);
    client.resume(PID, 0, resuming);
    assertEquals(Optional.of(resuming), disk.resumed);
    assertEquals("vhd:/b", client.list(PID).get(0).name());
  }

  @Test
  void keyOfADiskThatDoesNotOpenIsWiped() throws IOException {
    client.attach(PID, 0);
    OpenRequest request = OpenRequest.of("vhd:/unknown").withKey(new DiskKey(new byte[] {7}));

    fails(2, () -> client.open(PID, 0, request));

    OpenRequest asked = disks.attached.get(0).asked.orElseThrow();
    assertArrayEquals(new byte[1], asked.key().orElseThrow().copy());
  }

  @Test
  void limitsAreHandedToTheDiskOpenOrNot() throws DiskException {
    client.attach(PID, 0);
    RateLimit.Rates rates = new RateLimit.Rates(1000, 2000, 30, 40);

    client.limit(PID, 0, rates);

    assertEquals(rates, disks.attached.get(0).limited);
  }

  @Test
  void limitThatMakesNoSenseIsRefused() throws IOException {
    client.attach(PID, 0);
    ByteBuffer request = ControlMessage.of(MessageType.LIMIT, 0).encode(Generation.TODAY);
    request.put(8, (byte) 1); // a rate without a burst

    ByteBuffer answer = answer(request, 544);

    assertEquals(MessageType.ERROR.number(Generation.TODAY).orElseThrow(), (int) answer.get(0));
    assertEquals(22, answer.get(8));
  }

  @Test
  void statisticsAreJsonOfOneDiskOrOfAll() throws IOException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 1, OpenRequest.of("vhd:/a"));

    String one = "{ \"name\": \"vhd:/a\", \"secs\": [ 0, 0 ] }";
    assertEquals(one, client.statistics(PID, 1));
    ByteBuffer all = answer(ControlMessage.of(MessageType.STATS, 0xffff), 544 + 82);
    assertEquals(
        "[ { \"name\": \"(null)\", \"secs\": [ 0, 0 ] }, " + one + " ]",
        new String(all.array(), 544, 82));
  }

  @Test
  void listComesInOneRowThatCountsDown() throws IOException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 1, OpenRequest.of("vhd:/a"));

    ByteBuffer row = answer(ControlMessage.of(MessageType.LIST, 0xffff), 3 * 544);

    List<MessageBody> lines = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ByteBuffer one = row.slice(i * 544, 544);
      lines.add(ControlMessage.decode(one, Generation.TODAY).body());
    }
    assertEquals(
        List.of(new DiskLine(2, 0, 0, ""), new DiskLine(1, 1, 0, "vhd:/a"), DiskLine.END), lines);
  }

  @Test
  void minorsAreListed() throws IOException {
    client.attach(PID, 1);
    ByteBuffer answer = answer(ControlMessage.of(MessageType.LIST_MINORS, 0), 544);
    assertEquals(new MinorList(List.of(1)), ControlMessage.decode(answer, Generation.TODAY).body());
  }

  /** Sends a message and receives so many bytes, and the end. */
  private ByteBuffer answer(ControlMessage message, int count) throws IOException {
    return answer(message.encode(Generation.TODAY), count);
  }

  private ByteBuffer answer(ByteBuffer message, int count) throws IOException {
    try (SocketChannel channel = connect()) {
      channel.write(message.duplicate());
      ByteBuffer answer = ByteBuffer.allocate(count + 1);
      while (channel.read(answer) >= 0) {}
      assertEquals(count, answer.position());
      return answer.flip();
    }
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(server.socket()));
  }

  private int error(ByteBuffer message) throws IOException {
    ByteBuffer answer = answer(message, 544);
    assertEquals(1, answer.get(0), "an error");
    return answer.get(8);
  }

  @Test
  void nonsenseIsRefusedWithANumber() throws IOException {
    ByteBuffer unknown = ByteBuffer.allocate(544).put(0, (byte) 99).put(2, (byte) 5);
    assertEquals(22, error(unknown));
    ByteBuffer answer = ControlMessage.of(MessageType.PID_RSP, 0).encode(Generation.TODAY);
    assertEquals(22, error(answer));
    byte[] path = "a".repeat(256).getBytes();
    assertEquals(22, error(ByteBuffer.allocate(544).put(0, (byte) 7).put(20, path)));
    assertEquals(PID, client.pid(PID));
  }

  @Test
  void faultOfTheProgramIsAnAnswerToo() throws IOException {
    client.attach(PID, 0);
    DiskException failure =
        assertThrows(DiskException.class, () -> client.open(PID, 0, OpenRequest.of("null:")));
    assertEquals(5, failure.number());
    assertTrue(failure.sentence().startsWith("this is a fault"), failure.sentence());
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
  }

  @Test
  void answerThatCannotBeWrittenIsAnErrorAndTheServerGoesOn() throws IOException {
    client.attach(PID, 0);
    fails(5, () -> client.open(PID, 0, OpenRequest.of("odd:")));
    fails(5, () -> client.info(PID, 0));
    client.close(PID, 0, false, FOR_EVER);
  }

  @Test
  void ringsOfGuestsAreRefusedWithoutXen() throws IOException {
    GuestRing ring = new GuestRing(3, 51712, List.of(8), 3, "", 11, 0, 0);
    ByteBuffer connect =
        new ControlMessage(MessageType.XENBLKIF_CONNECT, 0, ring).encode(Generation.TODAY);
    assertEquals(19, error(connect));
    client.attach(PID, 0);
    assertEquals(95, error(connect));
    ByteBuffer disconnect =
        new ControlMessage(MessageType.XENBLKIF_DISCONNECT, 0, ring).encode(Generation.TODAY);
    assertEquals(19, error(disconnect));
  }

  @Test
  void requestMayComeInPieces() throws IOException {
    byte[] message = ControlMessage.of(MessageType.PID, 0).encode(Generation.TODAY).array();
    try (SocketChannel channel = connect()) {
      for (byte one : message) {
        channel.write(ByteBuffer.wrap(new byte[] {one}));
      }
      ByteBuffer answer = ByteBuffer.allocate(545);
      while (channel.read(answer) >= 0) {}
      assertEquals(
          new ProcessId(PID), ControlMessage.decode(answer.flip(), Generation.TODAY).body());
    }
  }

  @Test
  void clientsThatHangUpDisturbNobody() throws IOException {
    for (int length : new int[] {0, 1, 280, 543}) {
      try (SocketChannel channel = connect()) {
        channel.write(ByteBuffer.allocate(length));
      }
    }
    try (SocketChannel channel = connect()) {
      channel.write(ControlMessage.of(MessageType.LIST, 0xffff).encode(Generation.TODAY));
    }
    assertEquals(PID, client.pid(PID));
  }

  @Test
  void clientThatSendsTooLittleIsLeft() throws IOException {
    restart(Generation.TODAY, Duration.ofMillis(50));
    try (SocketChannel channel = connect()) {
      assertTrue(hasHungUpAfter(channel, 280));
    }
    assertEquals(PID, pidOnceAnswered());
  }

  /** On a busy machine we may ourselves be as slow as the silent, and come again. */
  private int pidOnceAnswered() {
    while (true) {
      try {
        return client.pid(PID);
      } catch (DiskException e) {
        assertFalse(running.isDone(), e.sentence());
      }
    }
  }

  /** Ten may be connected, 32 more wait; those who never say a word make room in the end. */
  @Test
  void crowdOfSilentClientsIsOutlived() throws IOException {
    restart(Generation.TODAY, Duration.ofMillis(50));
    List<SocketChannel> silent = new ArrayList<>();
    try {
      for (int i = 0; i < 30; i++) {
        silent.add(connect());
      }
      assertEquals(PID, pidOnceAnswered());
    } finally {
      for (SocketChannel one : silent) {
        one.close();
      }
    }
  }

  @Test
  void waitingForOneDiskKeepsNoOtherWaiting()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    CountDownLatch inFlight = new CountDownLatch(1);
    disks.attached.get(0).inFlight = inFlight;
    Future<?> pausing =
        pool.submit(
            () -> {
              client.pause(PID, 0, FOR_EVER);
              return 0;
            });
    fails(110, () -> client.pause(PID, 0, Optional.of(Duration.ofMillis(20))));
    client.open(PID, 1, OpenRequest.of("vhd:/b"));
    client.close(PID, 1, false, FOR_EVER);
    assertFalse(pausing.isDone());

    inFlight.countDown();

    pausing.get(60, TimeUnit.SECONDS);
    assertEquals(0x2a, client.list(PID).get(1).state());
  }

  @Test
  void manyCommandsThatWaitForOneDiskKeepNobodyElseWaiting() throws IOException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    CountDownLatch inFlight = new CountDownLatch(1);
    disks.attached.get(0).inFlight = inFlight;
    List<SocketChannel> waiting = new ArrayList<>();
    try {
      for (int i = 0; i < Answers.MOST_COMMANDS; i++) {
        SocketChannel one = connect();
        waiting.add(one);
        one.write(ControlMessage.of(MessageType.PAUSE, 0).encode(Generation.TODAY));
        assertEquals(PID, client.pid(PID), "one after the other comes to the server");
        if (i == 32) {
          client.open(PID, 1, OpenRequest.of("vhd:/b"));
        }
      }

      DiskException failure =
          assertThrows(DiskException.class, () -> client.pause(PID, 0, FOR_EVER));
      assertEquals("64 commands wait for their disks already", failure.sentence());
      assertEquals(16, failure.number());
      client.close(PID, 0, true, FOR_EVER);
      assertEquals(2, client.list(PID).size());

      inFlight.countDown();
      for (SocketChannel one : waiting) {
        assertEquals(2, one.read(ByteBuffer.allocate(2)));
      }
    } finally {
      inFlight.countDown();
      for (SocketChannel one : waiting) {
        one.close();
      }
    }
  }

  @Test
  void forcedClosingDoesNotWaitForRequests() throws IOException {
    client.attach(PID, 0);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    disks.attached.get(0).inFlight = new CountDownLatch(1);

    client.close(PID, 0, true, FOR_EVER);

    assertEquals(2, client.list(PID).get(0).state());
  }

  @Test
  void forcedClosingDoesNotWaitForAPauseThatDrains() throws Exception {
    client.attach(PID, 0);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    CountDownLatch inFlight = new CountDownLatch(1);
    disks.attached.get(0).inFlight = inFlight;
    fails(110, () -> client.pause(PID, 0, Optional.of(Duration.ofMillis(20))));

    client.close(PID, 0, true, FOR_EVER);

    inFlight.countDown();
  }

  /** Whether the server closes a connection that brings so many bytes, or never accepts it. */
  private static boolean hasHungUpAfter(SocketChannel channel, int count) {
    try {
      channel.write(ByteBuffer.allocate(count));
      return channel.read(ByteBuffer.allocate(1)) < 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void endOfTheServerClosesItsDisks()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    try (SocketChannel silent = connect()) {
      server.close();
      assertTrue(hasHungUpAfter(silent, 0));
    }

    awaitEnd();
    assertTrue(disks.attached.get(0).isDetached);
    assertTrue(disks.attached.get(1).isDetached);
    assertFalse(Files.exists(server.socket()));
    new Minors(folder).free(0);
  }

  @Test
  void diskThatCannotBeFlushedIsToldAndTheOthersAreClosed() throws IOException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    client.open(PID, 1, OpenRequest.of("vhd:/b"));
    disks.attached.get(0).failsToFlush = true;

    server.close();

    ExecutionException ended = assertThrows(ExecutionException.class, this::awaitEnd);
    assertEquals(
        "minor 0 (vhd:/a) is not closed well: the disk could not be flushed",
        ended.getCause().getMessage());
    assertTrue(disks.attached.get(1).isDetached);
  }

  /** Of two disks that are open the first waits for its host. */
  private CountDownLatch openTwoOfWhichOneIsStuck() throws IOException {
    client.attach(PID, 0);
    client.attach(PID, 1);
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    client.open(PID, 1, OpenRequest.of("vhd:/b"));
    CountDownLatch inFlight = new CountDownLatch(1);
    disks.attached.get(0).inFlight = inFlight;
    return inFlight;
  }

  @Test
  void endOfTheServerClosesNoDiskBehindAnotherOne() throws Exception {
    CountDownLatch inFlight = openTwoOfWhichOneIsStuck();

    Future<?> closing = pool.submit(server::close);

    while (!disks.attached.get(1).isDetached) {
      Thread.onSpinWait();
    }
    assertFalse(closing.isDone());
    inFlight.countDown();
    awaitEnd();
    assertTrue(disks.attached.get(0).isDetached);
  }

  @Test
  @Timeout(20)
  void endOfTheServerClosesDisksWhileACommandWaitsForAnotherOne() throws Exception {
    CountDownLatch inFlight = openTwoOfWhichOneIsStuck();
    Future<?> pausing =
        pool.submit(
            () -> {
              client.pause(PID, 0, FOR_EVER);
              return 0;
            });
    while ((disks.attached.get(0).state() & 0x10) == 0) { // a pause is asked for
      Thread.onSpinWait();
    }

    Future<?> closing = pool.submit(server::close);

    while (!disks.attached.get(1).isDetached) {
      Thread.onSpinWait();
    }
    assertFalse(pausing.isDone());
    assertFalse(closing.isDone());
    inFlight.countDown();
    pausing.get(60, TimeUnit.SECONDS);
    awaitEnd();
    assertTrue(disks.attached.get(0).isDetached);
  }

  @Test
  void diskWhoseHostNeverAnswersIsNamedAtTheEndAndTheOthersAreClosed() throws Exception {
    server.close();
    start(Generation.TODAY, ControlServer.TIMEOUT, Duration.ofMillis(500));
    openTwoOfWhichOneIsStuck();
    fails(110, () -> client.pause(PID, 0, Optional.of(Duration.ofMillis(20))));

    server.close();

    ExecutionException ended = assertThrows(ExecutionException.class, this::awaitEnd);
    assertEquals(
        "minor 0 (vhd:/a) is not closed: its host has not answered for 500 ms; what its guest"
            + " flushed is safe",
        ended.getCause().getMessage());
    assertTrue(disks.attached.get(1).isDetached);
    assertFalse(Files.exists(server.socket()));
  }

  @Test
  void exitEndsAProcessWithoutDisks()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    client.attach(PID, 0);
    fails(16, () -> client.exit(PID));
    client.detach(PID, 0);
    awaitEnd();
    start(Generation.TODAY, ControlServer.TIMEOUT);
    client.exit(PID);
    awaitEnd();
  }

  @Test
  void oldMessagesAreAnsweredWithOldOnes()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    restart(Generation.XEN_4_1, ControlServer.TIMEOUT);
    client.attach(PID, 0);
    fails(17, () -> client.attach(PID, 0));
    fails(22, () -> client.detach(PID, 1));
    ByteBuffer again = ControlMessage.of(MessageType.ATTACH, 0).encode(Generation.XEN_4_1);
    ByteBuffer refusal = answer(again, 280);
    assertEquals(6, refusal.get(0), "an attach response, with the error in it");
    assertEquals(17, refusal.get(8));
    client.open(PID, 0, OpenRequest.of("vhd:/a"));
    assertEquals(List.of(new DiskLine(1, 0, 0, "vhd:/a")), client.list(PID));
    fails(95, () -> client.statistics(PID, 0));
    client.close(PID, 0, false, FOR_EVER);
    client.detach(PID, 0);
    awaitEnd();
  }

  @Test
  void minorOfAnotherProcessIsNotAttached()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    ControlServer other =
        ControlServer.open(
            folder, 1, Generation.TODAY, ControlServer.TIMEOUT, disks, GuestRings.none());
    Future<?> run =
        pool.submit(
            () -> {
              other.run();
              return 0;
            });
    client.attach(1, 0);
    fails(16, () -> client.attach(PID, 0));
    client.detach(1, 0);
    run.get(60, TimeUnit.SECONDS);
    client.attach(PID, 0);
  }

  @Test
  void socketIsItsOwnersAlone() throws IOException {
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(server.socket())));
  }

  @Test
  void socketOfADeadProcessIsReplaced() throws IOException {
    server.close();
    Files.createFile(server.socket());
    start(Generation.TODAY, ControlServer.TIMEOUT);
    assertEquals(PID, client.pid(PID));
  }

  @Test
  void pathThatIsTooLongForASocketIsTold() {
    ControlFolder deep = new ControlFolder(folder.path().resolve("d".repeat(120)));
    DiskException failure =
        assertThrows(
            DiskException.class,
            () ->
                ControlServer.open(
                    deep, PID, Generation.TODAY, Duration.ZERO, disks, GuestRings.none()));
    assertTrue(failure.sentence().contains("/ctl4711 cannot be made"), failure.sentence());
  }
}
