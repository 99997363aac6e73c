package io.vdisk.backend.tap.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.xen.StoreAttachSource;
import io.vdisk.backend.tap.xen.StoreException;
import io.vdisk.backend.tap.xen.XenStore;
import io.vdisk.testkit.Requirements;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * The daemon of blktap 1 takes its requests from a store in memory; its tapdisks are in one JVM.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class StoreAttachSourceTest {
  private static final String TAP = "/local/domain/0/backend/tap";

  @TempDir Path folder;
  private final ExecutorService pool = Executors.newCachedThreadPool();
  private final MemoryDisks disks = new MemoryDisks();
  private final MemoryDevices devices = new MemoryDevices();
  private final List<PipeServer> tapdisks = new ArrayList<>();
  private SimulatedXenStore simulated;
  private XenStore store;
  private BlktapDaemon daemon;
  private StoreAttachSource source;
  private Future<?> running;

  /** What happens when a tapdisk is started. */
  private volatile Runnable meanwhile = () -> {};

  @BeforeEach
  void open() throws IOException {
    Requirements.need("mkfifo");
    folder = folder.toRealPath();
    simulated = SimulatedXenStore.open(folder);
    store = XenStore.open(simulated.socket());
    source = StoreAttachSource.of(store);
    daemon =
        new BlktapDaemon(
            folder.resolve("tap"), PipeDialect.XEN_3_2, BlktapDaemon.TIMEOUT, devices, this::spawn);
  }

  private synchronized void spawn(Path read, Path write) throws DiskException {
    PipeServer server = PipeServer.open(read, write, 100 + tapdisks.size(), disks, devices);
    tapdisks.add(server);
    Future<?> unused =
        pool.submit(
            () -> {
              server.run();
              return 0;
            });
    meanwhile.run();
  }

  @AfterEach
  void close() throws IOException {
    source.close();
    store.close();
    daemon.close();
    tapdisks.forEach(PipeServer::close);
    simulated.close();
    pool.shutdownNow();
  }

  private void run() {
    running =
        pool.submit(
            () -> {
              source.run(daemon);
              return 0;
            });
  }

  /** An image of one sector more for each name. */
  private String image(String name) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.exists(file)) {
      Files.createFile(file);
    }
    disks.with("aio:" + file, 8 + disks.sectors.size());
    return "aio:" + file;
  }

  private static String place(int domain) {
    return TAP + "/" + domain + "/51712";
  }

  /** A toolstack asks for a disk in one transaction, with some nodes as told. */
  private void ask(int domain, String... changed) {
    Map<String, String> nodes = new HashMap<>();
    nodes.put("frontend-id", "" + domain);
    nodes.put("frontend", "/local/domain/" + domain + "/device/vbd/51712");
    nodes.put("mode", "w");
    for (String one : changed) {
      nodes.put(one.split("=", 2)[0], one.split("=", 2)[1]);
    }
    simulated.write(
        place(domain),
        nodes.entrySet().stream().map(node -> node.getKey() + "=" + node.getValue()).toList());
  }

  private void awaitStatus(int domain, String status) throws InterruptedException {
    simulated.await(place(domain) + "/hotplug-status", status);
  }

  /** All before it was done when a later one is. */
  private void attachLast() throws IOException, InterruptedException {
    ask(99, "params=" + image("last"));
    awaitStatus(99, "connected");
  }

  private List<String> names() {
    return daemon.list().stream().map(one -> one.name().replace(folder + "/", "")).toList();
  }

  private void assertRefused(int domain, String sentence) throws InterruptedException {
    awaitStatus(domain, "error");
    assertEquals(
        List.of(
            place(domain) + "/hotplug-error=" + sentence, place(domain) + "/hotplug-status=error"),
        simulated.takeWritten());
  }

  @Test
  void diskIsAttachedAndItsNodesAreWrittenInTheirOrder() throws Exception {
    run();
    ask(7, "params=tapdisk:" + image("a"));
    awaitStatus(7, "connected");

    assertEquals(
        List.of(
            place(7) + "/sectors=8",
            place(7) + "/sector-size=512",
            place(7) + "/info=0",
            place(7) + "/hotplug-status=connected"),
        simulated.takeWritten());
    assertEquals(List.of("aio:a"), names());
    assertEquals(Set.of(1), devices.served.keySet());
  }

  @Test
  void disksThatAreThereAtTheBeginningAreFound() throws Exception {
    ask(7, "params=ioemu:" + image("a"), "mode=r", "physical-device=fd:1");
    ask(8, "params=" + image("b"));
    run();
    awaitStatus(7, "connected");
    awaitStatus(8, "connected");

    assertEquals(List.of("aio:a", "aio:b"), names());
    assertEquals(new DiskInfo(8, 512, DiskInfo.READ_ONLY), daemon.list().get(0).info());
    assertEquals("4", simulated.find(place(7) + "/info").orElseThrow());
  }

  @Test
  void diskWhoseNodesAreRemovedIsDetachedAndNoOther() throws Exception {
    run();
    ask(7, "params=" + image("a"));
    ask(8, "params=" + image("b"));
    ask(9, "params=" + image("c"));
    awaitStatus(9, "connected");
    simulated.remove(place(7));
    simulated.remove(TAP + "/9");
    attachLast();

    assertEquals(List.of("aio:last", "aio:b"), names());
    assertEquals(Set.of(1, 2), devices.created);
    assertTrue(simulated.find(place(7)).isEmpty());
  }

  @Test
  void missingFileIsTold() throws Exception {
    run();
    ask(7, "params=aio:" + folder.resolve("none"));
    assertRefused(7, "File not found.");
    attachLast();
    assertEquals(List.of("aio:last"), names());
    assertEquals(1, tapdisks.size(), "none was started for what is missing");
  }

  @Test
  void fileThatMayNotBeUsedIsTold() throws Exception {
    Path loop = folder.resolve("loop");
    Files.createSymbolicLink(loop, loop); // refused to root, too
    run();
    ask(7, "params=aio:" + loop);
    assertRefused(7, "Insufficient file permissions.");
  }

  @Test
  void guestThatWritesAloneIsAlone() throws Exception {
    run();
    ask(7, "params=" + image("a"), "mode=r");
    awaitStatus(7, "connected");
    List<String> unused = simulated.takeWritten();
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("a"));
    ask(8, "params=" + image("link"));
    assertRefused(8, "File already in use by other domain");
    assertEquals(List.of("aio:a"), names());
  }

  @Test
  void guestsThatShareOrReadOrAreTheSameAreNotAlone() throws Exception {
    run();
    simulated.write("/local/domain/7/vm", "/vm/1");
    simulated.write("/local/domain/10/vm", "/vm/1");
    ask(7, "params=" + image("a"));
    ask(8, "params=" + image("a"), "mode=w!");
    awaitStatus(8, "connected");
    ask(9, "params=" + image("a"), "mode=r");
    awaitStatus(9, "connected");
    simulated.remove(place(8));
    simulated.remove(place(9));
    ask(10, "params=" + image("a"));
    awaitStatus(10, "connected");
    assertEquals(2, names().size());
  }

  @Test
  void nodesThatMakeNoSenseAreTold() throws Exception {
    run();
    ask(1, "params=aio:/a", "frontend-id=x");
    assertRefused(1, place(1) + "/frontend-id is 'x', no number from 0 to 65535");
    ask(2, "params=aio:/a", "frontend-id=3");
    assertRefused(2, place(2) + "/frontend-id is 3, and its place says another");
    ask(3, "params=aio:/a", "frontend=/local/domain/0/device");
    assertRefused(3, place(3) + "/frontend is '/local/domain/0/device', no path of its guest");
    ask(4, "params=aio:/a", "mode=x");
    assertRefused(4, place(4) + "/mode is 'x', not r, w, r! or w!");
    ask(5, "params=aio:a");
    assertRefused(5, "'aio:a' names no absolute path");
    ask(6, "params=vhd:" + Files.createFile(folder.resolve("v")));
    assertRefused(6, "'vhd:" + folder.resolve("v") + "' names no driver of blktap");
    simulated.write(TAP + "/x/51712/frontend", "x");
    simulated.write(TAP + "/70000/51712/frontend", "x");
    attachLast();
    assertEquals(List.of("aio:last"), names());
  }

  @Test
  void longSentenceFitsTheStore() throws Exception {
    run();
    ask(7, "params=" + "\u00fc".repeat(1900));
    awaitStatus(7, "error");
    assertEquals(1000, simulated.find(place(7) + "/hotplug-error").orElseThrow().length());
  }

  @Test
  void imageThatDoesNotOpenIsToldAndTriedWhenItIsAskedForAgain() throws Exception {
    run();
    Path file = Files.createFile(folder.resolve("late"));
    ask(7, "params=aio:" + file);
    assertRefused(7, "the tapdisk cannot open aio:" + file);
    simulated.write(place(7) + "/online", "1");
    attachLast();
    assertEquals(2, tapdisks.size(), "one for each; the failure was not tried again");

    image("late");
    List<String> unused = simulated.takeWritten();
    simulated.remove(place(7) + "/hotplug-status");
    awaitStatus(7, "connected");
    assertEquals("-" + place(7) + "/hotplug-error", simulated.takeWritten().get(0));
    assertEquals(Set.of(1, 2), devices.created);
  }

  @Test
  void nodesThatComeOneByOneAreAwaited() throws Exception {
    run();
    String params = image("a");
    simulated.write(place(7) + "/params", params);
    simulated.write(place(7) + "/frontend", "/local/domain/7/device/vbd/51712");
    attachLast();
    assertEquals(List.of("aio:last"), names());
    ask(7);
    awaitStatus(7, "connected");
    assertTrue(simulated.find(place(7) + "/hotplug-error").isEmpty());
  }

  @Test
  void nodesThatWereRemovedMeanwhileAreNotMadeAgain() throws Exception {
    run();
    meanwhile = () -> simulated.remove(place(7));
    ask(7, "params=" + image("a"));
    simulated.await(place(7), null);
    meanwhile = () -> {};
    attachLast();
    assertEquals(List.of("aio:last"), names());
    assertTrue(simulated.find(place(7)).isEmpty());
  }

  @Test
  void deviceThatIsMadeAnewAtOnceGetsItsNewDisk() throws Exception {
    run();
    ask(7, "params=" + image("a"));
    awaitStatus(7, "connected");
    simulated.remove(place(7));
    ask(7, "params=" + image("b"));
    awaitStatus(7, "connected");
    assertEquals(List.of("aio:b"), names());
    assertEquals("9", simulated.find(place(7) + "/sectors").orElseThrow());
  }

  @Test
  void diskThatIsServedStaysWhateverIsSaidOfIt() throws Exception {
    run();
    ask(7, "params=" + image("a"));
    awaitStatus(7, "connected");
    ask(7, "params=" + image("b"), "physical-device=fd:2");
    simulated.remove(place(7) + "/mode");
    attachLast();
    assertEquals(List.of("aio:a", "aio:last"), names());
  }

  @Test
  void diskOfADaemonBeforeIsLeftAloneAndCounts() throws Exception {
    ask(7, "params=" + image("a"), "info=0", "hotplug-status=connected");
    run();
    ask(8, "params=" + image("a"));
    assertRefused(8, "File already in use by other domain");
    assertEquals(List.of(), tapdisks, "not even tried: the image is open elsewhere");
    simulated.remove(place(7));
    ask(7, "params=" + image("a"));
    awaitStatus(7, "connected");
  }

  @Test
  void diskThatGotTheMinorOfOneThatWasDetachedByCommandStays() throws Exception {
    run();
    ask(7, "params=" + image("a"));
    awaitStatus(7, "connected");
    daemon.detach(1);
    BlktapDaemon.Attached another = daemon.attach(image("b"), false, 8, 51712);
    simulated.remove(place(7));
    attachLast();
    assertEquals(1, another.minor());
    assertEquals(List.of("aio:b", "aio:last"), names());
  }

  @Test
  void endOfTheStoreIsTheEndOfTheSourceAndOfNoDisk() throws Exception {
    run();
    attachLast();
    simulated.close();
    ExecutionException ended =
        assertThrows(ExecutionException.class, () -> running.get(30, TimeUnit.SECONDS));
    StoreException reason = (StoreException) ended.getCause();
    assertTrue(
        reason.getMessage().startsWith("Xen's store asks for no more disks: "),
        reason.getMessage());
    assertEquals(List.of("aio:last"), names());
  }

  @Test
  void closedSourceAsksForNothingMore() throws Exception {
    run();
    attachLast();
    source.close();
    running.get(30, TimeUnit.SECONDS);
    ask(7, "params=" + image("a"));
    assertEquals(List.of("aio:last"), names());
    assertEquals(0, store.ownDomain(), "the store stays its owner's");
  }
}
