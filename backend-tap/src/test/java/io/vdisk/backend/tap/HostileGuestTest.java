package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever one guest does to its ring and its file, another one of the same process is served. */
@Timeout(60)
class HostileGuestTest {
  private static final long SIZE = 1 << 20;

  @TempDir Path folder;

  private final List<SharedFileFrontend> frontends = new ArrayList<>();
  private final List<TapServer> servers = new ArrayList<>();
  private WatchedDisk badDisk;
  private WatchedDisk goodDisk;
  private SharedFileListener bad;
  private SharedFileListener good;

  @BeforeEach
  void listen() throws IOException {
    badDisk = new WatchedDisk(SIZE);
    goodDisk = new WatchedDisk(SIZE);
    bad = listen("bad", badDisk);
    good = listen("good", goodDisk);
  }

  private SharedFileListener listen(String name, WatchedDisk disk) throws IOException {
    ServeOptions options = new ServeOptions(false, false, new RateLimit(), new RequestStatistics());
    return SharedFileListener.open(
        folder.resolve(name),
        new SharedFileListener.Disk() {
          @Override
          public DiskInfo info() {
            return DiskInfo.of(SIZE, false);
          }

          @Override
          public void serve(TapTransport guest) throws IOException {
            synchronized (servers) {
              servers.add(TapServer.start(guest, disk, options));
            }
          }
        });
  }

  @AfterEach
  void end() throws IOException {
    for (SharedFileFrontend frontend : frontends) {
      frontend.close();
    }
    bad.close();
    good.close();
    synchronized (servers) {
      servers.forEach(TapServer::close);
    }
    badDisk.close();
    goodDisk.close();
  }

  private SharedFileFrontend connect(String name) throws IOException {
    SharedFileFrontend frontend =
        SharedFileFrontend.connect(
            folder.resolve(name),
            folder.resolve(name + ".ring" + frontends.size()),
            new SharedFileLayout(RingAbi.ofHost(), 1, 16));
    frontends.add(frontend);
    return frontend;
  }

  /** The other guest's disk is as it should be, and it is served. */
  private void checkGood() throws IOException {
    Guest guest = new Guest(connect("good"));
    byte[] bytes = new byte[4096];
    new Random(1).nextBytes(bytes);
    assertEquals(0, guest.write(8, bytes));
    assertArrayEquals(bytes, guest.read(8, 4096));
    assertEquals(List.of("write 4096 4096", "read 4096 4096"), goodDisk.asked());
  }

  private void assertAllWithin() {
    for (String asked : badDisk.asked()) {
      String[] words = asked.split(" ", -1);
      long offset = Long.parseLong(words[1]);
      long length = Long.parseLong(words[2]);
      assertTrue(
          asked.startsWith("flush") || (offset >= 0 && length >= 0 && offset + length <= SIZE),
          asked);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void garbageThatChangesWhileItIsReadNeverReachesTheDevice(long seed) throws IOException {
    SharedFileFrontend frontend = connect("bad");
    ByteBuffer ring = frontend.ringMemory();
    Random random = new Random(seed);
    int requests = 0;

    for (int round = 0; round < 3000; round++) {
      scribble(ring, random);
      int free = 32 - (requests - ring.getInt(8));
      requests += Math.max(0, Math.min(free, random.nextInt(8)));
      ring.putInt(0, requests);
      frontend.ringBell();
      scribble(ring, random);
    }

    assertAllWithin();
    checkGood();
  }

  /** Some entries, sensible or not, also while the server reads them. */
  private static void scribble(ByteBuffer ring, Random random) {
    for (int i = 0; i < 20; i++) {
      int entry = 64 + random.nextInt(32) * 112;
      switch (random.nextInt(4)) {
        case 0 -> ring.putLong(entry + random.nextInt(14) * 8, random.nextLong());
        case 1 ->
            ring.put(entry, (byte) random.nextInt(8)).put(entry + 1, (byte) random.nextInt(13));
        case 2 -> ring.putLong(entry + 16, random.nextInt(4096));
        default -> {
          for (int segment = 0; segment < 11; segment++) {
            int at = entry + 24 + segment * 8;
            ring.putInt(at, random.nextInt(18));
            ring.put(at + 4, (byte) random.nextInt(9)).put(at + 5, (byte) random.nextInt(9));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"33", "-1", "2147483647", "-2147483648", "100000"})
  void indicesThatJumpEndTheRing(int requests) throws IOException {
    SharedFileFrontend frontend = connect("bad");
    frontend.ringMemory().putInt(0, requests);
    frontend.ringBell();

    while (frontend.await()) {}

    assertEquals(List.of(), badDisk.asked());
    checkGood();
  }

  @Test
  void guestThatNeverTakesAResponseIsNotWaitedFor() throws IOException {
    SharedFileFrontend frontend = connect("bad");
    for (int i = 0; i < 32; i++) {
      int page = i % 16;
      frontend.ring().next().operation(0, 8L * page).segment(page, 0, 7);
      frontend.ring().put();
    }
    frontend.ring().publish();
    frontend.ringBell();
    while (frontend.ring().waiting() < 32) {
      Thread.onSpinWait();
    }

    assertEquals(32, badDisk.asked().size());
    checkGood();
  }

  @Test
  void guestThatNeverListensToItsBellIsServedAllTheSame() throws IOException {
    SharedFileFrontend frontend = connect("bad");
    ByteBuffer ring = frontend.ringMemory();
    for (int i = 1; i <= 1000; i++) { // more than a socket holds
      frontend.ring().next().operation(3, 0);
      frontend.ring().put();
      ring.putInt(12, i); // each response is to be told
      frontend.ring().publish();
      frontend.ringBell();
      while (frontend.ring().waiting() == 0) {
        Thread.onSpinWait();
      }
      frontend.ring().take();
    }

    checkGood();
  }

  @Test
  void fileThatIsCutShortEndsItsRingOnly() throws IOException {
    SharedFileFrontend frontend = connect("bad");
    try (FileChannel file =
        FileChannel.open(folder.resolve("bad.ring0"), StandardOpenOption.WRITE)) {
      file.truncate(4096);
    }
    frontend.ringBell();

    while (frontend.await()) {}

    checkGood();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, does not begin with vdisktap",
    "8, 2, has version 2, which is not known",
    "12, 3, the ABI of a ring is 1 or 2",
    "16, 3, 'a ring has 1, 2, 4, 8 or 16 pages, not 3'",
    "16, -2147483648, 'a ring has 1, 2, 4, 8 or 16 pages'",
    "16, 2, 'bytes, but should have'",
    "20, 0, 'there are 1 to 262144 pages of data, not 0'",
    "20, 2147483647, there are 1 to 262144 pages of data"
  })
  void fileOfAnotherFormIsRefusedWithASentence(int at, int value, String sentence)
      throws IOException {
    SharedFileFrontend frontend = connect("bad");
    frontend.numbers().putInt(at, value);

    IOException thrown =
        assertThrows(IOException.class, () -> frontend.reconnect(folder.resolve("bad")));

    assertTrue(thrown.getMessage().contains(sentence), thrown.getMessage());
    checkGood();
  }

  @Test
  void pathThatIsNoFileIsRefusedAndNothingIsWrittenThere() throws IOException {
    Path victim = Files.writeString(folder.resolve("victim"), "x".repeat(20_480));
    Path link = Files.createSymbolicLink(folder.resolve("link"), victim);

    for (String path :
        List.of("relative", "/dev/zero", link.toString(), victim.toString(), "\0", "")) {
      try (Bell bell =
          new Bell(SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("bad"))))) {
        bell.writeSentence(path);
        assertFalse(bell.readSentence(10_000).isEmpty(), path);
      }
    }

    assertEquals("x".repeat(20_480), Files.readString(victim));
    checkGood();
  }

  @Test
  void linkToAnotherGuestsFileIsRefused() throws IOException {
    connect("bad");
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("bad.ring0"));

    try (Bell bell =
        new Bell(SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("bad"))))) {
      bell.writeSentence(link.toString());
      assertEquals("not the absolute path of a file: " + link, bell.readSentence(10_000));
    }

    checkGood();
  }

  @Test
  void callerThatHangsUpInTheMiddleOfItsPathDisturbsNobody() throws IOException {
    for (int i = 0; i < 40; i++) {
      try (SocketChannel socket =
          SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("bad")))) {
        socket.write(ByteBuffer.wrap(new byte[] {40, 0, '/'}));
      }
    }

    checkGood();
  }
}
