package io.vdisk.backend.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the rings of one guest's disk share: the log of its writes. */
@Timeout(60)
class GuestQueuesTest {
  @TempDir Path folder;

  private final List<GrantTransport> opened = new ArrayList<>();
  private final List<SimulatedEvents> events = new ArrayList<>(); // of the rings
  private WatchedDisk disk;
  private Path beginning;

  @BeforeEach
  void makeRings() throws IOException {
    disk = new WatchedDisk(1 << 20);
    beginning = folder.resolve("writes-");
  }

  @AfterEach
  void close() throws IOException {
    for (GrantTransport transport : opened) {
      transport.close();
    }
    disk.close();
  }

  /** The rings of the guest, as a process finds them that begins to serve them. */
  private List<GrantTransport> rings() throws IOException {
    List<GrantTransport> rings = new ArrayList<>();
    events.clear();
    for (int i = 0; i < 2; i++) {
      SimulatedXen xen = new SimulatedXen();
      ByteBuffer unused = xen.grant(8);
      XenRing ring =
          new XenRing(
              SimulatedXen.DOMAIN,
              51728,
              i,
              List.of(8),
              SimulatedEvents.PORT,
              RingAbi.X86_64,
              false);
      events.add(new SimulatedEvents());
      rings.add(GrantTransport.connect(ring, xen, events.get(i)));
    }
    opened.addAll(rings);
    GuestQueues.join(rings);
    return rings;
  }

  private static ByteBuffer sector(int value) {
    return ByteBuffer.allocateDirect(512).put(0, (byte) value);
  }

  private int read(BlockDevice from) throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(512);
    from.read(sector, 0);
    return sector.get(0);
  }

  private List<Path> logs() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void whatWasWrittenThroughAllRingsIsDoneAgainInItsOrder() throws Exception {
    List<GrantTransport> rings = rings();
    WriteLog first = rings.get(0).queues().begin(disk, beginning, new DiskLogs());
    WriteLog second = rings.get(1).queues().begin(disk, beginning, new DiskLogs());
    assertSame(first, second);
    assertTrue(second.add(0, sector(1)));
    assertTrue(first.add(0, sector(2)));
    assertTrue(second.add(0, sector(3)));

    List<GrantTransport> again = rings();
    WriteLog kept = again.get(0).queues().begin(disk, beginning, new DiskLogs());

    assertEquals(3, read(disk));
    assertEquals(1, logs().size());
    assertSame(kept, again.get(1).queues().begin(disk, beginning, new DiskLogs()));
    assertEquals(3, disk.asked().stream().filter("write 0 512"::equals).count());
  }

  @Test
  void theLogGoesWithTheLastServer() throws Exception {
    List<GrantTransport> rings = rings();
    WriteLog log = rings.get(0).queues().begin(disk, beginning, new DiskLogs());
    assertSame(log, rings.get(1).queues().begin(disk, beginning, new DiskLogs()));

    rings.get(0).queues().end();
    assertEquals(1, logs().size());
    rings.get(1).queues().end();

    assertEquals(List.of(), logs());
  }

  @Test
  void anotherDeviceIsTakenOnceAndWhatIsWrittenToItIsKept() throws Exception {
    List<GrantTransport> rings = rings();
    GuestQueues queues = rings.get(0).queues();
    WriteLog log = queues.begin(disk, beginning, new DiskLogs());
    assertSame(log, queues.begin(disk, beginning, new DiskLogs()));
    assertTrue(log.add(0, sector(1)));
    try (WatchedDisk other = new WatchedDisk(1 << 20)) {
      queues.become(other); // for the first ring, which goes on
      assertTrue(log.add(0, sector(2)));
      queues.become(other); // for the second one

      WriteLog unused = rings().get(0).queues().begin(disk, beginning, new DiskLogs());

      assertEquals(2, read(disk));
      assertEquals(1, disk.asked().stream().filter("write 0 512"::equals).count());
    }
  }

  @Test
  void serverThatCannotBeginLeavesNoLog() throws Exception {
    List<GrantTransport> rings = rings();
    events.get(0).beforeCalls(GuestQueuesTest::fail);
    ServeOptions kept =
        new ServeOptions(false, false, new RateLimit(), new RequestStatistics())
            .withWriteLogs(beginning);

    assertThrows(UncheckedIOException.class, () -> TapServer.start(rings.get(0), disk, kept));

    assertEquals(List.of(), logs());
    assertTrue(events.get(0).isClosed());
  }

  private static void fail() {
    throw new UncheckedIOException(new IOException("the event channel fails"));
  }

  @Test
  void aDiskThatDoesOneRequestAtATimeHasOneRing() throws Exception {
    List<GrantTransport> rings = rings();
    ServeOptions serial = new ServeOptions(false, true, new RateLimit(), new RequestStatistics());

    IOException thrown =
        assertThrows(IOException.class, () -> TapServer.start(rings.get(1), disk, serial));

    assertEquals(
        "domain 5, device 51728, queue 1: this disk is served through one queue",
        thrown.getMessage());
    rings.get(1).close(); // by the server, too: again is harmless
    assertEquals(List.of(), logs());
  }
}
