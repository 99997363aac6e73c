package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.MemoryGuest;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * What xentop finds of the disks of a back end: it reads the node {@code kthread-pid}, and the file
 * of that process and this device.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class XenStatisticsTest {
  private static final long PID = 4711;

  /** No process has it: PID_MAX_LIMIT is 4,194,304. */
  private static final long DEAD = 987_654_321;

  private static final String FILE = "/vbd-7-51712";

  @TempDir Path folder;

  private final List<MemoryGuest> queues = List.of(new MemoryGuest(), new MemoryGuest());
  private final List<AutoCloseable> opened = new ArrayList<>();
  private Path shm;
  private SimulatedXenStore simulated;
  private PlayedFrontend front;
  private RingFiles files;
  private XenDisk disk;

  @BeforeEach
  void begin() throws IOException {
    folder = folder.toRealPath();
    shm = Files.createDirectory(folder.resolve("shm"));
    simulated = SimulatedXenStore.open(folder);
    opened.add(simulated);
    simulated.write("/local/domain/7/name", "guest");
    front = new PlayedFrontend(simulated, new BackendDevice(0, "vbd3", 7, 51712));
    disk = newDisk(PID);
  }

  /** That of a process with this number. */
  private XenDisk newDisk(long pid) throws IOException {
    XenStore store = XenStore.open(simulated.socket());
    DeviceLocks locks = DeviceLocks.open(folder.resolve("run"));
    files = new RingFiles(shm, pid);
    XenOptions options = new XenOptions(DiskPolicy.DEFAULT, folder.resolve("run"), 2);
    XenHost host = new XenHost(store, options, this::reach, locks, files);
    XenDisk made = new XenDisk(host, front.device, () -> {});
    opened.addAll(0, List.of(made, files, locks, store));
    return made;
  }

  private TapTransport reach(XenRing ring) {
    return queues.get(ring.queue()).transport(ring);
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private void attach() throws IOException {
    Path file = folder.resolve("disk.raw");
    Images.create(file, CreateOptions.of("raw", 1 << 20)).close();
    front.attach("raw:" + file, "type=vdisk");
    disk.step();
  }

  private void connect() throws IOException {
    attach();
    connectAttached();
  }

  private void connectAttached() throws IOException {
    front.makeRing(8, 15);
    disk.step();
    front.state(XenbusState.CONNECTED);
    disk.step();
    assertEquals("4", front.backState());
  }

  private List<String> names() throws IOException {
    try (Stream<Path> all = Files.walk(shm)) {
      return all.filter(path -> !path.equals(shm))
          .map(path -> shm.relativize(path).toString())
          .sorted()
          .toList();
    }
  }

  private static List<String> namesOf(long pid) {
    return List.of("td3-" + pid, "td3-" + pid + FILE, "vbd3-7-51712", "vbd3-7-51712/statistics");
  }

  /** What xentop reads, version 1: reads, sectors read, writes, sectors written. */
  private List<Long> shown() throws IOException {
    files.update();
    String pid = simulated.find(front.back + "/kthread-pid").orElseThrow();
    ByteBuffer stats = ByteBuffer.wrap(Files.readAllBytes(shm.resolve("td3-" + pid + FILE)));
    stats.order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(1, stats.getInt(0));
    return Stream.of(16, 32, 48, 64).map(stats::getLong).toList();
  }

  @Test
  void aDiskIsShownWhileItIsConnected() throws Exception {
    attach();
    assertEquals(List.of(), names());
    connectAttached();
    assertEquals(namesOf(PID), names());
    assertEquals(Optional.of("4711"), simulated.find(front.back + "/kthread-pid"));
    assertEquals(0, queues.get(0).write(0, 5));
    assertEquals(5, queues.get(0).read(0));
    assertEquals(5, queues.get(0).read(0));
    assertEquals(List.of(2L, 16L, 1L, 8L), shown());
    front.state(XenbusState.CLOSED);
    disk.step();
    assertEquals(List.of(), names());
  }

  @Test
  void theProcessIsNamedBeforeTheGuestIsToldThatItIsConnected() throws Exception {
    attach();
    front.makeRing(8, 15);
    simulated.takeWritten();
    disk.step();
    List<String> written = simulated.takeWritten();
    assertEquals(front.back + "/kthread-pid=4711", written.get(0));
    assertEquals(front.back + "/state=4", written.get(written.size() - 1));
  }

  @Test
  void queuesOfADiskAreAddedUp() throws Exception {
    attach();
    simulated.write(
        front.front,
        List.of(
            "multi-queue-num-queues=2",
            "queue-0/ring-ref=1",
            "queue-0/event-channel=3",
            "queue-1/ring-ref=4",
            "queue-1/event-channel=6",
            "protocol=x86_64-abi",
            "state=3"));
    disk.step();
    assertEquals(0, queues.get(0).write(0, 5));
    assertEquals(0, queues.get(1).write(8, 6));
    assertEquals(5, queues.get(1).read(0));
    assertEquals(List.of(1L, 8L, 2L, 16L), shown());
    assertEquals(namesOf(PID), names());
    disk.close();
    assertEquals(List.of(), names());
  }

  @Test
  void theDiskOfAProcessThatWasKilledIsShownByTheNextOne() throws Exception {
    connect();
    disk.close(); // and what a process leaves that cannot:
    simulated.write(front.back + "/kthread-pid", Long.toString(DEAD));
    leave("td3-" + DEAD + FILE);
    leave("vbd3-7-51712/statistics");
    disk = newDisk(PID + 1);
    disk.step();
    assertEquals(0, queues.get(0).write(0, 5));
    assertEquals(List.of(0L, 0L, 1L, 8L), shown());
    assertEquals(namesOf(PID + 1), names());
  }

  private void leave(String name) throws IOException {
    Path file = shm.resolve(name);
    Files.createDirectories(file.resolveSibling(""));
    Files.writeString(file, "old");
  }

  @Test
  void filesOfOtherDevicesAndOfLivingProcessesStay() throws Exception {
    String living = "td3-" + ProcessHandle.current().pid();
    leave("td3-" + DEAD + FILE);
    leave("td3-" + DEAD + "/vbd-7-51728");
    leave(living + FILE);
    connect();
    List<String> names = names();
    assertTrue(names.containsAll(List.of("td3-" + DEAD + "/vbd-7-51728", living + FILE)));
    assertFalse(names.contains("td3-" + DEAD + FILE));
  }

  @Test
  void linksThatLieAboutAreNotFollowed() throws Exception {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path precious = Files.writeString(elsewhere.resolve("vbd-7-51712"), "precious");
    Files.createSymbolicLink(shm.resolve("td3-" + DEAD), elsewhere);
    leave("vbd3-7-51712/other");
    Files.createSymbolicLink(shm.resolve("vbd3-7-51712/statistics"), precious);
    connect();
    assertEquals(0, queues.get(0).write(0, 5));
    assertEquals(List.of(0L, 0L, 1L, 8L), shown());
    assertEquals("precious", Files.readString(precious));
  }

  @Test
  void aFolderThatCannotBeWrittenCostsNoDisk() throws Exception {
    Files.writeString(shm.resolve("td3-4711"), "no folder");
    connect();
    assertEquals(0, queues.get(0).write(0, 5));
    disk.tick();
    assertEquals(List.of("td3-4711"), names());
    assertTrue(simulated.find(front.device.errorPath() + "/error").isEmpty());
  }

  @Test
  void disksOfOtherTypesHaveNoFiles() throws Exception {
    front = new PlayedFrontend(simulated, new BackendDevice(0, "vdisk", 7, 51712));
    disk = newDisk(PID);
    connect();
    assertEquals(List.of(), names());
    assertEquals(Optional.empty(), simulated.find(front.back + "/kthread-pid"));
  }

  @Test
  void nodesGoWithTheirGuest() throws Exception {
    connect();
    simulated.remove("/local/domain/7");
    disk.step();
    assertEquals("gone", front.backState());
    assertEquals(List.of(), names());
  }
}
