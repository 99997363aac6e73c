package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.FrontRing;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.SharedFileFrontend;
import io.vdisk.backend.tap.SharedFileLayout;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.SimulatedGuest;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The messages by which tapback connects a guest of Xen, as bytes both ways. Where it does not
 * matter how the ring is reached, the guest is one with a ring in a file.
 */
@Timeout(60)
class XenGuestRingsTest {
  private static final int PID = 4711;

  /** Domain 5, device 51712, one page by grant 8, protocol x86_64, event channel 17, poll 1 ms. */
  private static final String CONNECT =
      "18000000 00000000 05000000 00ca0000 08000000" + "00000000".repeat(7) + "00000000 03000000";

  private static final String CONNECT_END = "11000000 e8030000 32000000";
  private static final String DISCONNECT = "1a000000 00000000 05000000 00ca0000";

  @TempDir Path temporary;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final LinkedBlockingQueue<TapTransport> transports = new LinkedBlockingQueue<>();
  private final List<XenRing> asked = new ArrayList<>();
  private final List<SharedFileFrontend> guests = new ArrayList<>();
  private Optional<IOException> refusal = Optional.empty();
  private Optional<SimulatedGuest> simulated = Optional.empty();
  private ControlFolder folder;
  private Path shm;
  private RingFiles files;
  private SharedFileListener listener;
  private ControlServer server;
  private ControlClient client;

  @BeforeEach
  void start() throws IOException {
    Requirements.need("flock");
    folder = new ControlFolder(temporary.toRealPath().resolve("c"));
    shm = Files.createDirectory(temporary.resolve("shm"));
    files = new RingFiles(shm, PID);
    listener =
        SharedFileListener.open(
            temporary.resolve("s"),
            new SharedFileListener.Disk() {
              @Override
              public DiskInfo info() {
                return DiskInfo.of(1 << 20, false);
              }

              @Override
              public void serve(TapTransport guest) {
                transports.add(guest);
              }
            });
    server =
        ControlServer.open(
            folder,
            PID,
            Generation.TODAY,
            ControlServer.TIMEOUT,
            new TapDisks(DiskPolicy.DEFAULT),
            new XenGuestRings(this::reach, files));
    pool.submit(
        () -> {
          server.run();
          return 0;
        });
    client = new ControlClient(folder, Generation.TODAY);
    new Minors(folder).allocate();
    client.attach(PID, 0);
    client.open(PID, 0, OpenRequest.of("ram:1M"));
  }

  private TapTransport reach(XenRing ring) throws IOException {
    asked.add(ring);
    if (simulated.isPresent()) {
      return simulated.get().connect(ring);
    }
    if (refusal.isPresent()) {
      throw refusal.get();
    }
    guests.add(
        SharedFileFrontend.connect(
            temporary.resolve("s"),
            temporary.resolve("ring" + guests.size()),
            new SharedFileLayout(ring.abi(), ring.grants().size(), 8)));
    try {
      return transports.take();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    listener.close();
    for (SharedFileFrontend guest : guests) {
      guest.close();
    }
    pool.shutdownNow();
  }

  /** Sends so many bytes and zeroes behind them; the first of the answer, the rest being zero. */
  private String answer(String hex, int shown) throws IOException {
    ByteBuffer message = ByteBuffer.allocate(544).put(bytes(hex)).clear();
    return send(message, shown);
  }

  private String send(ByteBuffer message, int shown) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(server.socket()))) {
      channel.write(message);
      ByteBuffer answer = ByteBuffer.allocate(545);
      while (channel.read(answer) >= 0) {}
      assertEquals(544, answer.position());
      return HexFormat.of().formatHex(answer.array(), 0, shown);
    }
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private String connect() throws IOException {
    return connect(CONNECT);
  }

  /** The pool is 256 bytes between the two. */
  private String connect(String beginning) throws IOException {
    ByteBuffer message = ByteBuffer.allocate(544).put(bytes(beginning));
    message.position(312).put(bytes(CONNECT_END));
    return send(message.clear(), 12);
  }

  private static void request(SharedFileFrontend guest, int code, long sector) throws IOException {
    FrontRing ring = guest.ring();
    ring.next().operation(code, sector).segment(0, 0, 7);
    ring.put();
    ring.publish();
    guest.ringBell();
    while (ring.waiting() == 0 && ring.mayAwaitResponses()) {
      assertTrue(guest.await());
    }
    int unused = ring.take().status();
  }

  /** The guest's ring is nobody's; it may have been rung for before what it took already. */
  private static void awaitEnd(SharedFileFrontend guest) throws IOException {
    while (guest.await()) {
      assertEquals(0, guest.ring().waiting());
    }
  }

  @Test
  void ringIsConnectedServedAndDisconnected() throws IOException {
    assertEquals("190000000000000000000000", connect());

    assertEquals(List.of(new XenRing(5, 51712, 0, List.of(8), 17, RingAbi.X86_64, false)), asked);
    request(guests.get(0), 1, 0);
    request(guests.get(0), 0, 1 << 20);
    assertEquals("010000000000000072000000", connect(), "114: already");
    assertEquals("1b0000000000000000000000", answer(DISCONNECT, 12));
    awaitEnd(guests.get(0));
    assertEquals("010000000000000013000000", answer(DISCONNECT, 12), "19: no such ring");
    assertEquals("190000000000000000000000", connect(), "and again");
  }

  @Test
  void guestOfASimulatedXenIsServedThroughItsGrants() throws Exception {
    SimulatedGuest guest = new SimulatedGuest(RingAbi.X86_64);
    simulated = Optional.of(guest);
    ByteBuffer message = ByteBuffer.allocate(544).put(bytes(CONNECT));
    message.order(ByteOrder.LITTLE_ENDIAN).putInt(312, SimulatedGuest.PORT);
    assertEquals("190000000000000000000000", send(message.clear(), 12));

    guest.data().putLong(0, 4711);
    assertEquals(0, guest.ask(1, 8));
    guest.data().putLong(0, 0);
    client.pause(PID, 0, Optional.empty());
    client.resume(PID, 0, ResumeRequest.SAME);
    assertEquals(0, guest.ask(0, 8));

    assertEquals(4711, guest.data().getLong(0));
    assertEquals(-1, guest.ask(0, 1 << 20));
    files.update();
    assertEquals(2, file("td3-4711/vbd-5-51712")[16], "reads");
    assertEquals("1b0000000000000000000000", answer(DISCONNECT, 12));
    assertTrue(guest.isLeft());
    simulated = Optional.of(new SimulatedGuest(RingAbi.X86_64));
    message.putInt(312, 1);
    assertEquals("010000000000000005000000", send(message.clear(), 12), "no such channel");
  }

  @Test
  void protocolsAreNativeAndThoseOfBothGuests() throws IOException {
    String x86 = CONNECT.substring(0, CONNECT.length() - 8);
    for (String protocol : List.of("01000000", "02000000", "03000000")) {
      assertEquals("190000000000000000000000", connect(x86 + protocol));
      assertEquals("1b0000000000000000000000", answer(DISCONNECT, 12));
    }
    assertEquals(
        List.of(RingAbi.ofHost(), RingAbi.X86_32, RingAbi.X86_64),
        asked.stream().map(XenRing::abi).toList());
    assertEquals("01000000000000005d000000", connect(x86 + "04000000"), "93");
  }

  @Test
  void ringsThatCannotBeReachedHaveTheirNumbers() throws IOException {
    NoSuchFileException missing = new NoSuchFileException("/dev/xen/gntdev");
    refusal = Optional.of(new IOException("there is no gntdev", missing));
    assertEquals("01000000000000005f000000", connect(), "95: here is no Xen");
    AccessDeniedException denied = new AccessDeniedException("/dev/xen/gntdev");
    refusal = Optional.of(new IOException("no right to use gntdev", denied));
    assertEquals("01000000000000000d000000", connect(), "13: not allowed");
    refusal = Optional.empty();
    assertEquals("190000000000000000000000", connect());
  }

  @Test
  void nonsenseIsRefused() throws IOException {
    assertEquals(
        "010000000000000016000000",
        connect(CONNECT.replace("00000000 03000000", "04000000 03000000")),
        "order 4");
    assertEquals(
        "010000000000000016000000",
        connect(CONNECT.replace(" 05000000", " ffff0100")),
        "domain 131071");
    ByteBuffer endless = ByteBuffer.allocate(544).put(bytes(CONNECT));
    while (endless.position() < 312) {
      endless.put((byte) 'p');
    }
    assertTrue(send(endless.clear(), 12).startsWith("010000000000000016"), "a pool without an end");
    ByteBuffer long1 = ByteBuffer.allocate(544).put(bytes(CONNECT));
    long1.position(316).put(bytes("ffffffff"));
    assertTrue(send(long1.clear(), 12).startsWith("010000000000000016"), "polls for ever");
    assertEquals(List.of(), asked);
    assertEquals("010001000000000013000000", connect("18000100" + CONNECT.substring(8)), "minor 1");
  }

  @Test
  void pausedDiskIsConnectedLater() throws IOException {
    client.pause(PID, 0, Optional.empty());
    assertEquals("01000000000000000b000000", connect(), "11: not now");
    client.resume(PID, 0, ResumeRequest.SAME);
    assertEquals("190000000000000000000000", connect());
  }

  @Test
  void statisticsTellOfTheRingWhileItIsConnectedThoughPaused() throws IOException {
    assertFalse(client.statistics(PID, 0).contains("xenbus"));
    connect();
    request(guests.get(0), 1, 0);
    request(guests.get(0), 0, 0);
    request(guests.get(0), 0, 1 << 20);
    client.pause(PID, 0, Optional.empty());

    String text = client.statistics(PID, 0);

    String begin =
        "\"xenbus\": { \"pool\": \"td-xenio-default\", \"domid\": 5, \"devid\": 51712, \"reqs\": ["
            + " 3, 3 ], \"kicks\": [ ";
    assertTrue(text.contains(begin), text);
    assertTrue(
        text.contains("], \"errors\": { \"msg\": 1, \"map\": 0, \"vbd\": 0, \"img\": 0 } }, \"FIX"),
        text);
    client.close(PID, 0, false, Optional.empty());
    assertFalse(client.statistics(PID, 0).contains("xenbus"));
  }

  private byte[] file(String name) throws IOException {
    return Files.readAllBytes(shm.resolve(name));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> all = Files.walk(shm)) {
      return all.filter(path -> !path.equals(shm))
          .map(path -> shm.relativize(path).toString())
          .sorted()
          .toList();
    }
  }

  @Test
  void filesTellWhatTheRingWasAsked() throws IOException {
    connect();
    request(guests.get(0), 1, 0);
    request(guests.get(0), 1, 8);
    request(guests.get(0), 0, 0);
    request(guests.get(0), 0, 1 << 20);

    files.update();

    assertEquals(
        List.of("td3-4711", "td3-4711/vbd-5-51712", "vbd3-5-51712", "vbd3-5-51712/statistics"),
        names());
    ByteBuffer blkback =
        ByteBuffer.wrap(file("vbd3-5-51712/statistics")).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(4096, blkback.capacity());
    assertEquals(2, blkback.getLong(24), "reads");
    assertEquals(2, blkback.getLong(32));
    assertEquals(8, blkback.getLong(40), "sectors that were read");
    assertEquals(2, blkback.getLong(64), "writes");
    assertEquals(16, blkback.getLong(80));
    assertTrue(blkback.getLong(88) >= blkback.getLong(96));
    ByteBuffer tapdisk =
        ByteBuffer.wrap(file("td3-4711/vbd-5-51712")).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(4096, tapdisk.capacity());
    assertEquals(1, tapdisk.getInt(0), "version");
    assertEquals(2, tapdisk.getLong(16));
    assertEquals(8, tapdisk.getLong(32));
    assertEquals(2, tapdisk.getLong(48));
    assertEquals(16, tapdisk.getLong(64));
    answer(DISCONNECT, 12);
    assertEquals(List.of(), names());
  }

  @Test
  void filesGoWithTheDiskAndThoseOfADeadProcessAreReplaced() throws IOException {
    Files.createDirectories(shm.resolve("vbd3-5-51712"));
    Path victim = Files.writeString(temporary.resolve("victim"), "precious");
    Files.createSymbolicLink(shm.resolve("vbd3-5-51712/statistics"), victim);
    connect();
    assertEquals(4096, file("vbd3-5-51712/statistics").length);
    assertEquals("precious", Files.readString(victim));

    client.close(PID, 0, false, Optional.empty());

    assertEquals(List.of(), names());
    assertEquals("010000000000000013000000", answer(DISCONNECT, 12));
  }

  @Test
  void guestIsServedThoughItsFilesCannotBeMade() throws IOException {
    Files.createFile(shm.resolve("td3-4711"));
    assertEquals("190000000000000000000000", connect());
    request(guests.get(0), 0, 0);
  }
}
