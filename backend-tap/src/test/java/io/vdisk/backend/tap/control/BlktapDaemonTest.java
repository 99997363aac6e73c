package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
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

/** The daemon and the tapdisks of blktap 1, over real pipes, in one JVM. */
@Timeout(60)
class BlktapDaemonTest {
  @TempDir Path temporary;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final MemoryDisks disks =
      new MemoryDisks().with("qcow:/a", 8192).with("aio:/b", 16).with("ram:/r", 8);
  private final MemoryDevices devices = new MemoryDevices();
  private final List<PipeServer> tapdisks = new ArrayList<>();
  private final List<Future<?>> running = new ArrayList<>();
  private Path folder;
  private BlktapDaemon daemon;
  private volatile Duration patience = LastClosings.PATIENCE;

  @BeforeEach
  void open() {
    Requirements.need("mkfifo");
    folder = temporary.resolve("tap");
    daemon = daemon(PipeDialect.XEN_3_2, BlktapDaemon.TIMEOUT);
  }

  private BlktapDaemon daemon(PipeDialect dialect, Duration timeout) {
    return new BlktapDaemon(folder, dialect, timeout, devices, this::spawn);
  }

  private synchronized void spawn(Path read, Path write) throws DiskException {
    PipeServer server = PipeServer.open(read, write, 100 + tapdisks.size(), disks, devices);
    tapdisks.add(server);
    running.add(
        pool.submit(
            () -> {
              server.run(patience);
              return 0;
            }));
  }

  @AfterEach
  void close() {
    daemon.close();
    tapdisks.forEach(PipeServer::close);
    pool.shutdownNow();
  }

  private void awaitEnd(int tapdisk)
      throws InterruptedException, ExecutionException, TimeoutException {
    running.get(tapdisk).get(60, TimeUnit.SECONDS);
  }

  private static void fails(int number, String sentence, Executable body) {
    DiskException failure = assertThrows(DiskException.class, body);
    assertEquals(sentence, failure.sentence());
    assertEquals(number, failure.number());
  }

  @Test
  void eachDiskHasItsOwnProcess()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    DiskInfo large = new DiskInfo(8192, 512, 0);
    DiskInfo small = new DiskInfo(16, 512, 4);
    BlktapDaemon.Attached a = daemon.attach("tapdisk:qcow:/a", false, 5, 51712);
    BlktapDaemon.Attached b = daemon.attach("aio:/b", true, 5, 51728);

    assertEquals(new BlktapDaemon.Attached(1, 100, "qcow:/a", large), a);
    assertEquals(new BlktapDaemon.Attached(2, 101, "aio:/b", small), b);
    assertEquals(List.of(a, b), daemon.list());
    assertEquals(Set.of(1, 2), devices.served.keySet());
    assertTrue(Files.exists(folder.resolve("tapctrlread1")));
    assertTrue(Files.exists(folder.resolve("tapctrlwrite2")));
    daemon.detach(1);
    awaitEnd(0);
    assertEquals(Set.of(2), devices.served.keySet());
    assertEquals(Set.of(2), devices.created);
    daemon.detach(2);
    awaitEnd(1);
    assertFalse(Files.exists(folder.resolve("tapctrlread1")));
    fails(19, "no disk has minor 2", () -> daemon.detach(2));
  }

  @Test
  void oldReleasesAreSpoken()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    for (PipeDialect dialect : PipeDialect.values()) {
      BlktapDaemon old = daemon(dialect, BlktapDaemon.TIMEOUT);
      BlktapDaemon.Attached a = old.attach("qcow:/a", true, 0, 0);
      // Xen 3.0 cannot say that a disk is read-only.
      int flags = dialect == PipeDialect.XEN_3_0 ? 0 : 4;
      assertEquals(new DiskInfo(8192, 512, flags), a.info());
      old.detach(a.minor());
      awaitEnd(tapdisks.size() - 1);
      old.close();
    }
  }

  @Test
  void ramDisksShareOneProcess()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    BlktapDaemon.Attached one = daemon.attach("ram:/r", false, 1, 0);
    BlktapDaemon.Attached two = daemon.attach("ram:/r", false, 2, 0);

    assertEquals(one.pid(), two.pid());
    daemon.detach(one.minor());
    daemon.attach("ram:/r", false, 3, 0);
    assertTrue(disks.attached.get(0).isDetached, "the first was closed before the third came");
    assertEquals(Set.of(1, 2), devices.served.keySet());
    daemon.detach(1);
    daemon.detach(2);
    awaitEnd(0);
    assertEquals(1, tapdisks.size());
  }

  @Test
  void whatFailsLeavesNoDeviceAndNoProcess()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    fails(2, "'vhd:/a' names no driver of blktap", () -> daemon.attach("vhd:/a", false, 0, 0));
    fails(2, "'/a' names no driver of blktap", () -> daemon.attach("/a", false, 0, 0));
    fails(2, "the tapdisk cannot open aio:/none", () -> daemon.attach("aio:/none", false, 0, 0));
    awaitEnd(0);
    devices.canServe = false;
    fails(
        19,
        "the tapdisk cannot serve /dev/xen/blktap1",
        () -> daemon.attach("qcow:/a", false, 0, 0));
    awaitEnd(1);
    assertEquals(Set.of(), devices.created);
    assertEquals(List.of(), daemon.list());
  }

  @Test
  void silentTapdiskIsGivenUp() {
    BlktapDaemon impatient =
        new BlktapDaemon(
            folder,
            PipeDialect.XEN_3_2,
            Duration.ofMillis(50),
            devices,
            (read, write) -> assertTrue(Files.exists(read)));
    fails(
        110,
        "the tapdisk did not answer PID within 0 s",
        () -> impatient.attach("qcow:/a", false, 0, 0));
    assertEquals(Set.of(), devices.created);
    assertFalse(Files.exists(folder.resolve("tapctrlread1")), "it finds no pipes when it comes");
    assertFalse(Files.exists(folder.resolve("tapctrlwrite1")));
  }

  @Test
  void tapdiskThatIsReadyTooLateEnds() throws Exception {
    BlktapDaemon impatient =
        new BlktapDaemon(
            folder,
            PipeDialect.XEN_3_2,
            Duration.ofMillis(50),
            devices,
            (read, write) ->
                tapdisks.add(PipeServer.open(read, write, 100, new MemoryDisks(), devices)));
    assertThrows(DiskException.class, () -> impatient.attach("qcow:/a", false, 0, 0));

    tapdisks.get(0).run();
  }

  /** Takes messages until so many disks were closed, and answers the first ones alone. */
  private static List<PipeMessageType> tapdisk(Pipes pipes, int closings, PipeMessage... answers)
      throws IOException {
    List<PipeMessageType> taken = new ArrayList<>();
    ByteBuffer bytes = ByteBuffer.allocate(PipeMessage.MAX_SIZE);
    while (taken.stream().filter(PipeMessageType.CLOSE::equals).count() < closings) {
      assertTrue(pipes.read(bytes), "the pipe is open");
      while (bytes.position() >= 16 && bytes.position() >= PipeMessage.length(bytes)) {
        int length = PipeMessage.length(bytes);
        int answered = taken.size();
        taken.add(PipeMessageType.of(PipeMessage.typeNumber(bytes)).orElseThrow());
        bytes.flip().position(length);
        bytes.compact();
        if (answered < answers.length) {
          pipes.write(answers[answered].encode(PipeDialect.XEN_3_2));
        }
      }
    }
    return taken;
  }

  @Test
  void tapdiskThatIsGivenUpIsToldToCloseItsDisks() throws Exception {
    List<Future<List<PipeMessageType>>> taken = new ArrayList<>();
    PipeMessage pid = PipeMessage.answer(PipeMessageType.PID_RSP, new PipeMessage.Pid(7));
    PipeMessage image =
        PipeMessage.answer(PipeMessageType.IMG, new PipeMessage.Image(new DiskInfo(8, 512, 0)));
    PipeMessage served = PipeMessage.answer(PipeMessageType.NEWDEV_RSP, new PipeMessage.Nothing());
    BlktapDaemon impatient =
        new BlktapDaemon(
            folder,
            PipeDialect.XEN_3_2,
            Duration.ofSeconds(1),
            devices,
            (read, write) -> {
              Pipes pipes = Pipes.open(read, write);
              taken.add(
                  pool.submit(
                      () -> {
                        try (pipes) {
                          return tapdisk(pipes, 3, pid, image, served);
                        }
                      }));
            });
    BlktapDaemon.Attached one = impatient.attach("ram:/r", false, 1, 0);

    fails(
        110,
        "the tapdisk did not answer PARAMS within 1 s",
        () -> impatient.attach("ram:/s", false, 2, 0));
    fails(
        5,
        "the tapdisk was given up: it has not answered in time before",
        () -> impatient.attach("ram:/s", false, 3, 0));
    impatient.detach(one.minor());

    assertEquals(
        List.of(
            PipeMessageType.PID,
            PipeMessageType.PARAMS,
            PipeMessageType.NEWDEV,
            PipeMessageType.PARAMS,
            PipeMessageType.CLOSE,
            PipeMessageType.CLOSE,
            PipeMessageType.CLOSE),
        taken.get(0).get(60, TimeUnit.SECONDS));
    assertEquals(Set.of(), devices.created);
    assertFalse(Files.exists(folder.resolve("tapctrlread1")));
  }

  @Test
  void missingDevicesAreToldClearly() {
    BlktapDaemon without =
        new BlktapDaemon(
            folder, PipeDialect.XEN_3_2, BlktapDaemon.TIMEOUT, BlktapDevices.none(), this::spawn);
    fails(
        19,
        "/dev/xen/blktap0 is missing: this kernel has no blktap, and no guest can be reached",
        () -> without.attach("qcow:/a", false, 0, 0));
  }

  /** What a tapdisk answers byte for byte, and that nonsense is no end of it. */
  @Test
  void tapdiskAnswersAsXens()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    Path read = folder.resolve("r");
    Path write = folder.resolve("w");
    Pipes.make(read);
    Pipes.make(write);
    spawn(write, read);
    try (Pipes pipes = Pipes.open(read, write)) {
      pipes.write(bytes("6300 0c00 ffff ffff ffffffff"));
      pipes.write(bytes("0400 1000 0400 0900 0000000000000000"));
      assertEquals(
          bytes("0a00 1400 0000 0000 0000000000000000 64000000"),
          answer(pipes, "0900 1000 dddd cccc 0000000000000000", 20));
      String opening = "0100 1300 0400 0700 0100000000000000 2f6100";
      assertEquals(
          bytes(
              "0200 0000 0000 0000 0000000000000000 0020000000000000 0002000000000000 04000000"
                  + " 00000000"),
          answer(pipes, opening, 40));
      assertEquals(bytes("0300 1000 0400 0700 0100000000000000"), answer(pipes, opening, 16));
      assertEquals(
          bytes("0300 1000 6300 0800 0000000000000000"),
          answer(pipes, "0100 1300 6300 0800 0000000000000000 2f6100", 16));
      assertEquals(
          bytes("0600 1000 0000 0000 0000000000000000"),
          answer(pipes, "0400 1400 0400 0900 0000000000000000 01000000", 16));
      assertEquals(
          bytes("0500 1000 0000 0000 0000000000000000"),
          answer(pipes, "0400 1400 0400 0700 0000000000000000 01000000", 16));
      pipes.write(bytes("0700 1000 0400 0700 0000000000000000"));
      awaitEnd(0);
    }
    assertTrue(disks.attached.get(7).isDetached);
  }

  private static ByteBuffer bytes(String digits) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(digits.replace(" ", "")));
  }

  private static ByteBuffer answer(Pipes pipes, String request, int count) throws IOException {
    pipes.write(bytes(request));
    ByteBuffer answer = ByteBuffer.allocate(count);
    while (answer.hasRemaining()) {
      assertTrue(pipes.read(answer), "the pipe is open");
    }
    return answer.flip();
  }

  @Test
  void endOfATapdiskClosesItsDisks() throws IOException {
    daemon.attach("qcow:/a", false, 0, 0);
    tapdisks.get(0).close();
    assertTrue(disks.attached.get(0).isDetached);
    assertEquals(Optional.empty(), disks.attached.get(0).name());
  }

  @Test
  void commandAsksThroughTheSocket() throws IOException {
    Files.createDirectories(folder);
    try (DaemonSocket socket = DaemonSocket.open(folder, Duration.ofSeconds(10))) {
      pool.submit(
          () -> {
            socket.run(daemon);
            return 0;
          });
      String line = "minor=1 pid=100 sectors=8192 args=qcow:/a\n";
      assertEquals("", DaemonSocket.ask(folder, "list"));
      assertEquals(line, DaemonSocket.ask(folder, "attach w 5 51712 qcow:/a"));
      assertEquals(line, DaemonSocket.ask(folder, "list"));
      fails(
          2,
          "'x y:z' names no driver of blktap",
          () -> DaemonSocket.ask(folder, "attach r 0 0 x y:z"));
      fails(22, "'one' is no number", () -> DaemonSocket.ask(folder, "detach one"));
      fails(
          22,
          "-1 is no domain: they are 0 to 65535",
          () -> DaemonSocket.ask(folder, "attach w -1 0 aio:/b"));
      fails(
          22,
          "-1 is no device of a guest: they are 0 to 2147483647",
          () -> DaemonSocket.ask(folder, "attach w 0 -1 aio:/b"));
      fails(22, "the daemon does not know 'attach'", () -> DaemonSocket.ask(folder, "attach x"));
      assertEquals("", DaemonSocket.ask(folder, "detach 1"));
    }
    assertThrows(DiskException.class, () -> DaemonSocket.ask(folder, "list"));
  }

  @Test
  void closedSocketIsGoneAndItsSuccessorStays() throws IOException {
    Files.createDirectories(folder);
    DaemonSocket first = DaemonSocket.open(folder, Duration.ofSeconds(10));
    first.close();
    assertFalse(Files.exists(DaemonSocket.path(folder)));

    DaemonSocket second = DaemonSocket.open(folder, Duration.ofSeconds(10));
    first.close();
    first.run(daemon);
    assertTrue(Files.exists(DaemonSocket.path(folder)));
    second.close();
    assertFalse(Files.exists(DaemonSocket.path(folder)));
  }

  @Test
  void daemonThatHangsUpIsToldOf() throws IOException {
    Files.createDirectories(folder);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(DaemonSocket.path(folder)));
      for (String begun : List.of("", "0 minor=1")) {
        pool.submit(
            () -> {
              try (SocketChannel client = server.accept()) {
                client.read(ByteBuffer.allocate(5));
                client.write(ByteBuffer.wrap(begun.getBytes(StandardCharsets.UTF_8)));
              }
              return 0;
            });
        fails(
            104,
            ("the blktapctrl at " + DaemonSocket.path(folder)) + " hung up before it had answered",
            () -> DaemonSocket.ask(folder, "list"));
      }
    }
  }

  @Test
  void silentCommandsAreOutlived() throws IOException {
    Files.createDirectories(folder);
    List<SocketChannel> silent = new ArrayList<>();
    try (DaemonSocket socket = DaemonSocket.open(folder, Duration.ofMillis(50))) {
      pool.submit(
          () -> {
            socket.run(daemon);
            return 0;
          });
      for (int i = 0; i < 6; i++) {
        silent.add(SocketChannel.open(UnixDomainSocketAddress.of(DaemonSocket.path(folder))));
      }
      assertEquals("", askUntilAnswered("list"));
    } finally {
      for (SocketChannel one : silent) {
        one.close();
      }
    }
  }

  /** Four at a time are served. */
  @Test
  void commandsThatNeverReadAreOutlived() throws IOException {
    Files.createDirectories(folder);
    String name = "/" + "r".repeat(3900);
    disks.with("ram:" + name, 8);
    for (int i = 0; i < 120; i++) { // more than a socket holds
      daemon.attach("ram:" + name, false, i, 0);
    }
    List<SocketChannel> deaf = new ArrayList<>();
    try (DaemonSocket socket = DaemonSocket.open(folder, Duration.ofMillis(200))) {
      pool.submit(
          () -> {
            socket.run(daemon);
            return 0;
          });
      for (int i = 0; i < 4; i++) {
        SocketChannel one =
            SocketChannel.open(UnixDomainSocketAddress.of(DaemonSocket.path(folder)));
        deaf.add(one);
        one.write(ByteBuffer.wrap("list\n".getBytes(StandardCharsets.UTF_8)));
      }
      assertTrue(askUntilAnswered("list").startsWith("minor=1 "));
    } finally {
      for (SocketChannel one : deaf) {
        one.close();
      }
    }
  }

  /** On a busy machine we may ourselves be as slow as the silent, and come again. */
  private String askUntilAnswered(String line) {
    while (true) {
      try {
        return DaemonSocket.ask(folder, line);
      } catch (DiskException e) {
        assertTrue(Files.exists(DaemonSocket.path(folder)), e.sentence());
      }
    }
  }

  @Test
  void diskThatCannotBeFlushedIsNoEndOfTheOthers()
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    BlktapDaemon.Attached one = daemon.attach("ram:/r", false, 1, 0);
    BlktapDaemon.Attached two = daemon.attach("ram:/r", false, 2, 0);
    disks.attached.get(0).failsToFlush = true;
    daemon.detach(one.minor());
    daemon.attach("ram:/r", false, 3, 0);
    assertTrue(disks.attached.get(0).isDetached);
    assertFalse(disks.attached.get(1).isDetached);
    daemon.detach(two.minor());
    daemon.detach(1);
    ExecutionException ended = assertThrows(ExecutionException.class, () -> awaitEnd(0));
    assertEquals("the disk could not be flushed", ended.getCause().getMessage());
  }

  @Test
  void endOfATapdiskClosesNoDiskBehindAnotherOne() throws Exception {
    daemon.attach("ram:/r", false, 1, 0);
    daemon.attach("ram:/r", false, 2, 0);
    CountDownLatch inFlight = new CountDownLatch(1);
    disks.attached.get(0).inFlight = inFlight;

    Future<?> closing = pool.submit(() -> tapdisks.get(0).close());

    while (!disks.attached.get(1).isDetached) {
      Thread.onSpinWait();
    }
    assertFalse(closing.isDone());
    inFlight.countDown();
    awaitEnd(0);
    assertTrue(disks.attached.get(0).isDetached);
    assertTrue(devices.served.isEmpty());
  }

  /** The command that closes it waits, and keeps all that come behind it waiting. */
  @Test
  void diskWhoseHostNeverAnswersIsNamedAtTheEndAndTheOthersAreClosed() throws Exception {
    patience = Duration.ofMillis(500);
    BlktapDaemon.Attached stuck = daemon.attach("ram:/r", false, 1, 0);
    daemon.attach("ram:/r", false, 2, 0);
    disks.attached.get(0).inFlight = new CountDownLatch(1);
    daemon.detach(stuck.minor());
    while (devices.served.containsKey(stuck.minor())) {
      Thread.onSpinWait();
    }

    tapdisks.get(0).close();

    ExecutionException ended = assertThrows(ExecutionException.class, () -> awaitEnd(0));
    assertEquals(
        "ram:/r is not closed: its host has not answered for 500 ms; what its guest flushed is"
            + " safe",
        ended.getCause().getMessage());
    assertFalse(disks.attached.get(0).isDetached);
    assertTrue(disks.attached.get(1).isDetached);
  }

  @Test
  void pipesMustBeThere() throws IOException {
    Path file = Files.createFile(temporary.resolve("file"));
    fails(2, file + " is no pipe", () -> PipeServer.open(file, file, 1, disks, devices));
    assertFalse(Files.exists(folder));
  }
}
