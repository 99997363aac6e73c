package io.vdisk.backend.tap.xen;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.MemoryGuest;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices are found, and served beside each other. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class BackendWatcherTest {
  private static final List<String> TYPES = List.of("vdisk", "qdisk", "vbd3");

  @TempDir Path folder;

  private final Map<Integer, MemoryGuest> guests = new ConcurrentHashMap<>();

  /** Long enough for disks that answer. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  /** The domain whose ring is never mapped. */
  private static final int STUCK = 9;

  private final List<AutoCloseable> opened = new ArrayList<>();

  /** By whatever thread. */
  private final Queue<Process> started = new ConcurrentLinkedQueue<>();

  private SimulatedXenStore simulated;
  private XenStore store;
  private DeviceLocks locks;
  private XenDisks disks;

  @BeforeEach
  void begin() throws IOException {
    folder = folder.toRealPath();
    simulated = SimulatedXenStore.open(folder);
    store = XenStore.open(simulated.socket());
    locks = DeviceLocks.open(folder.resolve("run"));
    XenOptions options = new XenOptions(DiskPolicy.DEFAULT, folder.resolve("run"), 1);
    disks =
        new XenDisks(
            new XenHost(store, options, this::connect, locks, new RingFiles(folder, 1)), PATIENCE);
    opened.addAll(List.of(disks, locks, store, simulated));
  }

  private TapTransport connect(XenRing ring) throws IOException {
    if (ring.domain() == STUCK) {
      new CompletableFuture<Void>().join();
    }
    return guests.computeIfAbsent(ring.domain(), unused -> new MemoryGuest()).transport(ring);
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
    started.forEach(Process::destroyForcibly); // when nobody starts them again
  }

  private void watch(DeviceServers servers) throws IOException {
    BackendWatcher unused = BackendWatcher.begin(store, 0, TYPES, servers, guard(pid -> false));
  }

  private QemuGuard guard(QemuGuard.Processes processes) {
    return new QemuGuard(store, 0, processes, List.of(folder.resolve("qemu-dom0.pid")));
  }

  private PlayedFrontend guest(String type, int domain) {
    return new PlayedFrontend(simulated, new BackendDevice(0, type, domain, 51712));
  }

  private String image(String name) throws IOException {
    Path file = folder.resolve(name);
    Images.create(file, CreateOptions.of("raw", 1 << 20)).close();
    return "aio:" + file;
  }

  private void connect(PlayedFrontend guest) throws InterruptedException {
    simulated.await(guest.back + "/state", "2");
    guest.makeRing(8, 15);
    simulated.await(guest.back + "/state", "4");
    guest.state(XenbusState.CONNECTED);
  }

  @Test
  void devicesThatAreThereAndThatComeAreServed() throws Exception {
    PlayedFrontend there = guest("qdisk", 1);
    there.attach(image("one"));
    watch(disks);
    connect(there);
    PlayedFrontend comes = guest("vdisk", 2);
    comes.attach(image("two"));
    connect(comes);
    assertEquals(0, guests.get(1).write(0, 1));
    assertEquals(0, guests.get(2).write(0, 2));
    assertEquals(1, guests.get(1).read(0));
  }

  @Test
  void devicesOfTapbackAreLeftToIt() throws Exception {
    PlayedFrontend theirs = guest("vbd3", 1);
    theirs.attach(image("one"), "type=vbd3");
    watch(disks);
    PlayedFrontend ours = guest("vbd3", 2);
    ours.attach(image("two"), "type=vdisk");
    connect(ours);
    assertEquals("1", theirs.backState());
    theirs.state(XenbusState.INITIALISED);
    ours.state(XenbusState.CLOSED);
    simulated.await(ours.back + "/state", "6");
    assertEquals("1", theirs.backState());
  }

  @Test
  void nodesThatAreNoTextDisturbNoOther() throws Exception {
    PlayedFrontend ofWhom = guest("vbd3", 1);
    ofWhom.attach(image("one"), "type=vdisk\0");
    PlayedFrontend ofQemu = guest("qdisk", 2);
    simulated.write("/local/domain/2/image/device-model-pid", "4711\0\0");
    simulated.write("/local/domain/3/name", "guest");
    simulated.write("/libxl/3/type", "pv\0\0");
    ofQemu.attach(image("two"));
    watch(disks);
    PlayedFrontend good = guest("vdisk", 3);
    good.attach(image("three"));
    connect(good);
    assertEquals(0, guests.get(3).write(0, 1));
    assertEquals("1", ofQemu.backState());
  }

  @Test
  void oneThatFailsDisturbsNoOther() throws Exception {
    PlayedFrontend good = guest("vdisk", 1);
    good.attach(image("one"));
    watch(disks);
    connect(good);
    PlayedFrontend bad = guest("vdisk", 2);
    bad.attach("vhd:/nowhere");
    simulated.await(bad.back + "/state", "6");
    assertEquals(0, guests.get(1).write(0, 1));
  }

  @Test
  void twoGuestsOfOneMemoryDiskSeeEachOthersWrites() throws Exception {
    watch(disks);
    for (int domain = 1; domain <= 2; domain++) {
      PlayedFrontend guest = guest("vdisk", domain);
      guest.attach("ram:1M:shared");
      connect(guest);
    }
    assertEquals(0, guests.get(1).write(8, 42));
    assertEquals(42, guests.get(2).read(8));
  }

  @Test
  void aDeviceIsAttachedAndDetachedAgainAndAgain() throws Exception {
    watch(disks);
    String image = image("one");
    for (int i = 0; i < 5; i++) {
      guests.clear();
      PlayedFrontend guest = guest("qdisk", 1);
      guest.attach(image);
      connect(guest);
      assertEquals(0, guests.get(1).write(0, i));
      guest.askToClose();
      guest.state(XenbusState.CLOSED);
      simulated.await(guest.back + "/state", "6");
      simulated.remove(guest.front);
      simulated.remove(guest.back);
    }
  }

  @Test
  void theEndOfTheProcessLeavesTheNodesForTheNextOne() throws Exception {
    watch(disks);
    PlayedFrontend guest = guest("qdisk", 1);
    guest.attach(image("one"));
    connect(guest);
    disks.close();
    assertEquals("4", guest.backState());
    assertTrue(!guests.get(1).isServed());
  }

  @Test
  void whatQemuServesIsLeftAlone() throws Exception {
    simulated.write("/local/domain/1/image/device-model-pid", "4711");
    Files.writeString(folder.resolve("qemu-dom0.pid"), "4712\n");
    QemuGuard guard = guard(pid -> pid == 4711 || pid == 4712);
    assertTrue(guard.isServedByQemu(guest("qdisk", 1).device));
    assertTrue(guard.isServedByQemu(guest("qdisk", 0).device));
    assertTrue(!guard.isServedByQemu(guest("vdisk", 1).device));
    assertTrue(!guard.isServedByQemu(guest("qdisk", 2).device));
    assertTrue(!guard(pid -> false).isServedByQemu(guest("qdisk", 1).device));
    simulated.write("/local/domain/1/image/device-model-pid", "$(reboot)");
    assertTrue(!guard.isServedByQemu(guest("qdisk", 1).device));
  }

  @Test
  void aProcessThatRunsMayBecomeQemu() throws Exception {
    QemuGuard real = QemuGuard.ofHost(store, 0);
    String own = Long.toString(ProcessHandle.current().pid());
    simulated.write("/local/domain/1/image/device-model-pid", own);
    assertTrue(real.isServedByQemu(guest("qdisk", 1).device));
    simulated.write("/local/domain/1/image/device-model-pid", QemuGuard.NOBODY);
    assertTrue(!real.isServedByQemu(guest("qdisk", 1).device));
  }

  @Test
  void disksOfAnHvmGuestAreQemusBeforeThatRuns() throws Exception {
    simulated.write("/libxl/1/type", "hvm"); // xl makes the disks, and starts QEMU then
    simulated.write("/libxl/2/type", "pvh");
    QemuGuard guard = guard(pid -> false);
    assertTrue(guard.isServedByQemu(guest("qdisk", 1).device));
    assertTrue(!guard.isServedByQemu(guest("vdisk", 1).device));
    assertTrue(!guard.isServedByQemu(guest("qdisk", 2).device));
  }

  @Test
  void aQemuWhoseWordsAreNoTextIsOne() throws Exception {
    String words = "echo; exec sh -c 'read line' \"$(printf 'file=/srv/M\\374ller')\"";
    Process process = new ProcessBuilder("sh", "-c", words).start();
    started.add(process);
    assertEquals('\n', process.getInputStream().read());
    simulated.write("/local/domain/1/image/device-model-pid", Long.toString(process.pid()));
    Path commandLine = Path.of("/proc/" + process.pid() + "/cmdline");
    while (!new String(Files.readAllBytes(commandLine), ISO_8859_1).contains("=/srv/M\u00fcller")) {
      Thread.onSpinWait(); // until the shell has become the other one
    }
    assertTrue(QemuGuard.ofHost(store, 0).isServedByQemu(guest("qdisk", 1).device));
  }

  @Test
  void aFileThatNamesNoQemuDisturbsNobody() throws Exception {
    Files.createDirectory(folder.resolve("qemu-dom0.pid"));
    assertTrue(!guard(pid -> true).isServedByQemu(guest("qdisk", 0).device));
  }

  @Test
  void xlFindsADeviceModelOfDomain0AndOfParavirtualGuests() throws Exception {
    simulated.write("/local/domain/0/name", "Domain-0");
    simulated.write("/local/domain/1/name", "pv");
    simulated.write("/libxl/1/type", "pv");
    simulated.write("/local/domain/2/name", "hvm");
    simulated.write("/libxl/2/type", "hvm");
    simulated.write("/local/domain/3/image/device-model-pid", "4711");
    simulated.write("/libxl/3/type", "pvh");
    watch(disks);
    simulated.await("/local/domain/0/image/device-model-pid", "1073741823");
    simulated.await("/local/domain/1/image/device-model-pid", "1073741823");
    assertEquals(Optional.empty(), simulated.find("/local/domain/2/image/device-model-pid"));
    assertEquals(Optional.of("4711"), simulated.find("/local/domain/3/image/device-model-pid"));
  }

  /** Starts programs that do nothing, and tells of each. */
  private final class Starts implements DiskProcesses.Starter {
    final BlockingQueue<Process> all = new LinkedBlockingQueue<>();

    @Override
    public Process start(BackendDevice device) throws IOException {
      Process process = new ProcessBuilder("sleep", "1000").start();
      started.add(process);
      all.add(process);
      return process;
    }

    Process next() throws InterruptedException {
      Process process = all.poll(30, TimeUnit.SECONDS);
      assertTrue(process != null, "no process was started");
      return process;
    }
  }

  @Test
  void aProcessForEachDiskIsStartedAgainWhenItFails() throws Exception {
    Starts starts = new Starts();
    DiskProcesses processes = new DiskProcesses(store, locks, disks, starts);
    watch(processes);
    guest("qdisk", 1).attach("aio:/a");
    Process first = starts.next();
    guest("qdisk", 2).attach("aio:/b");
    Process other = starts.next();
    first.destroyForcibly();
    Process second = starts.next();
    assertTrue(second.isAlive());
    assertTrue(other.isAlive());
    processes.close();
    assertTrue(!second.isAlive());
    assertTrue(!other.isAlive());
  }

  @Test
  @SuppressWarnings("try") // given back in the middle
  void aDiskOfAnotherProcessIsLeftToItUntilThatEnds() throws Exception {
    Starts starts = new Starts();
    PlayedFrontend guest = guest("qdisk", 1);
    guest.attach("aio:/a");
    try (var held = locks.take(guest.device).orElseThrow()) {
      assertTrue(held != null);
      DiskProcesses processes = new DiskProcesses(store, locks, disks, starts);
      opened.add(0, processes);
      watch(processes);
      guest("qdisk", 2).attach("aio:/b");
      Process other = starts.next();
      assertTrue(other.isAlive());
      assertTrue(starts.all.isEmpty());
      held.close();
      processes.tick();
      assertTrue(starts.next().isAlive());
    }
  }

  /** One whose time passes as a test says. */
  private DiskProcesses processes(DiskProcesses.Starter starter, AtomicLong seconds) {
    DiskProcesses made =
        new DiskProcesses(
            store,
            locks,
            disks,
            starter,
            Duration.ofSeconds(1),
            () -> TimeUnit.SECONDS.toNanos(seconds.get()));
    opened.add(0, made);
    return made;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aProcessThatCannotBeStartedIsTriedAgainWhateverOthersDo(int hopeless) throws Exception {
    Starts starts = new Starts();
    AtomicBoolean hasMemory = new AtomicBoolean();
    AtomicLong seconds = new AtomicLong();
    DiskProcesses processes =
        processes(
            device -> {
              if (device.domain() == hopeless || (device.domain() != 3 && !hasMemory.get())) {
                throw new IOException("no memory for another process");
              }
              return starts.start(device);
            },
            seconds);
    for (int domain = 1; domain <= 3; domain++) {
      PlayedFrontend guest = guest("qdisk", domain);
      guest.attach("aio:/a");
      processes.look(guest.device);
    }
    assertTrue(starts.next().isAlive()); // of the last one: the others were tried before
    hasMemory.set(true);
    seconds.addAndGet(30);
    processes.tick();
    assertTrue(starts.next().isAlive());
  }

  @Test
  void aProcessThatEndsAtOnceIsStartedLaterAndLater() throws Exception {
    Starts starts = new Starts();
    AtomicLong seconds = new AtomicLong();
    DiskProcesses processes = processes(starts, seconds);
    watch(processes);
    guest("qdisk", 1).attach("aio:/a");
    starts.next().destroyForcibly();
    Process process = starts.next(); // at once, the first time
    int domain = 1;
    for (int delay : List.of(2, 4, 8, 16, 30, 30)) {
      process.destroyForcibly().waitFor();
      seconds.addAndGet(delay - 1);
      processes.tick();
      guest("qdisk", ++domain).attach("aio:/b");
      Process other = starts.next(); // so the tick was heard
      assertTrue(starts.all.isEmpty(), "not after " + (delay - 1) + " s");
      seconds.incrementAndGet();
      processes.tick();
      process = starts.next();
      assertTrue(other.isAlive());
    }
  }

  @Test
  void aProcessIsStartedForAnImageWhoseNameIsNoTextAndTellsSo() throws Exception {
    Starts starts = new Starts();
    DiskProcesses processes = new DiskProcesses(store, locks, disks, starts);
    opened.add(0, processes);
    watch(processes);
    guest("qdisk", 1).attach("aio:/a\0b");
    assertTrue(starts.next().isAlive());
  }

  @Test
  void memoryDisksAreServedInTheOneProcessThatGuestsShare() throws Exception {
    Starts starts = new Starts();
    DiskProcesses processes = new DiskProcesses(store, locks, disks, starts);
    opened.add(0, processes);
    watch(processes);
    PlayedFrontend guest = guest("vdisk", 1);
    guest.attach("ram:1M");
    connect(guest);
    assertEquals(0, guests.get(1).write(0, 1));
    assertTrue(starts.all.isEmpty());
  }

  @Test
  void aDiskWhoseHostNeverAnswersIsNamedAtTheEndAndTheOthersAreClosed() throws Exception {
    watch(disks);
    PlayedFrontend stuck = guest("qdisk", STUCK);
    stuck.attach(image("stuck"));
    simulated.await(stuck.back + "/state", "2");
    stuck.makeRing(8, 15);
    PlayedFrontend well = guest("qdisk", 1);
    well.attach(image("well"));
    connect(well);

    DiskException failure = assertThrows(DiskException.class, disks::close);

    assertEquals(
        "domain 9, device 51712 (qdisk) is not closed: its host has not answered for 3 s; what"
            + " its guest flushed is safe",
        failure.sentence());
    assertTrue(!guests.get(1).isServed());
    disks.close(); // waits for nothing
  }

  /** Starts programs that do this when they are told to end, and are ready for that. */
  private Process startTrapping(String what) throws IOException {
    Process process =
        new ProcessBuilder(
                "sh", "-c", "trap '" + what + "' TERM; echo; while :; do sleep 0.05; done")
            .start();
    started.add(process);
    assertEquals('\n', process.getInputStream().read());
    return process;
  }

  @Test
  void aProcessThatDoesNotEndIsNamedAndTheOthersAreTold() throws Exception {
    BlockingQueue<Process> all = new LinkedBlockingQueue<>();
    DiskProcesses processes =
        new DiskProcesses(
            store,
            locks,
            disks,
            device -> {
              Process process = startTrapping(device.domain() == STUCK ? "" : "exit 0");
              all.add(process);
              return process;
            },
            Duration.ofSeconds(1),
            System::nanoTime);
    watch(processes);
    guest("qdisk", STUCK).attach("aio:/a");
    Process stuck = all.take();
    guest("qdisk", 1).attach("aio:/b");
    Process well = all.take();

    DiskException failure = assertThrows(DiskException.class, processes::close);

    assertEquals(
        "domain 9, device 51712 (qdisk) (process "
            + stuck.pid()
            + ") is not closed: its host has not answered for 1 s; what its guest flushed is safe",
        failure.sentence());
    assertEquals(0, well.exitValue());
    processes.close();
  }

  @Test
  void aProcessThatCouldNotCloseItsDiskIsNamed() throws Exception {
    BlockingQueue<Process> all = new LinkedBlockingQueue<>();
    DiskProcesses processes =
        new DiskProcesses(
            store,
            locks,
            disks,
            device -> {
              Process process = startTrapping("exit 5");
              all.add(process);
              return process;
            });
    watch(processes);
    guest("qdisk", 1).attach("aio:/a");
    Process failing = all.take();

    DiskException failure = assertThrows(DiskException.class, processes::close);

    assertEquals(
        "domain 1, device 51712 (qdisk) (process " + failing.pid() + ") ended with 5",
        failure.sentence());
  }
}
