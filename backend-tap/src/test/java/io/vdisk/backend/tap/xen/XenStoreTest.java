package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What a client of Xen's store reads, writes and hears. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class XenStoreTest {
  @TempDir Path folder;

  private SimulatedXenStore simulated;
  private XenStore store;

  @BeforeEach
  void connect() throws IOException {
    simulated = SimulatedXenStore.open(folder.toRealPath());
    store = XenStore.open(simulated.socket());
  }

  @AfterEach
  void disconnect() throws IOException {
    store.close();
    simulated.close();
  }

  private static StoreException refused(String error, Executable body) {
    StoreException e = assertThrows(StoreException.class, body);
    assertEquals(error, e.error(), e.getMessage());
    return e;
  }

  @Test
  void whatIsWrittenIsRead() throws Exception {
    store.write("/a/b", "5 \u00e4 = x");
    assertEquals("5 \u00e4 = x", store.read("/a/b"));
    assertEquals("", store.read("/a"));
    assertEquals(Optional.of("5 \u00e4 = x"), simulated.find("/a/b"));
    assertEquals(List.of("/a/b=5 \u00e4 = x"), simulated.takeWritten());
  }

  @Test
  void aNodeThatIsNotThereIsToldByItsPath() throws Exception {
    StoreException e = refused("ENOENT", () -> store.read("/no/where"));
    assertEquals("/no/where: the store says ENOENT", e.getMessage());
    assertEquals(Optional.empty(), store.find("/no/where"));
    assertEquals(List.of(), store.children("/no/where"));
  }

  @Test
  void nodesAreMadeAndRemovedWithAllBelow() throws Exception {
    store.make("/a/b");
    store.make("/a/b");
    store.write("/a/b/c", "1");
    assertEquals(List.of("b"), store.children("/a"));
    store.remove("/a");
    store.remove("/a");
    store.remove("/a/b/c");
    assertEquals(Optional.empty(), store.find("/a/b/c"));
  }

  @Test
  void aListLongerThanAMessageIsReadInParts() throws Exception {
    List<String> names =
        IntStream.range(0, 700).mapToObj(i -> String.format("node-%04d", i)).toList();
    names.forEach(name -> simulated.write("/many/" + name, ""));
    assertEquals(names, store.children("/many"));
  }

  @Test
  void permissionsAreThoseOfTheNearestNode() throws Exception {
    store.write("/a/b", "1");
    store.setPermissions("/a", List.of("n0", "r7"));
    assertEquals(List.of("n0", "r7"), store.permissions("/a/b"));
    assertThrows(IllegalArgumentException.class, () -> store.setPermissions("/a", List.of("x1")));
  }

  @Test
  void aWatchHearsAtOnceAndOfAllBelow() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    StoreWatch watch = store.watch("/a", heard::add);
    assertEquals("/a", heard.poll(30, TimeUnit.SECONDS));
    simulated.write("/a/b", "1");
    simulated.write("/b", "1");
    assertEquals("/a/b", heard.poll(30, TimeUnit.SECONDS));
    simulated.remove("/a/b");
    assertEquals("/a/b", heard.poll(30, TimeUnit.SECONDS));
    watch.close();
    simulated.write("/a/b", "2");
    assertEquals("1", store.read("/b")); // what was on its way has come
    assertTrue(heard.isEmpty());
  }

  @Test
  void whoListensMayAsk() throws Exception {
    BlockingQueue<String> read = new LinkedBlockingQueue<>();
    simulated.write("/a", "5");
    StoreWatch watch =
        store.watch(
            "/a",
            path -> {
              try {
                read.add(store.read(path));
                store.watch("/b", read::add);
              } catch (IOException e) {
                read.add(e.toString());
              }
            });
    assertEquals("5", read.poll(30, TimeUnit.SECONDS));
    assertEquals("/b", read.poll(30, TimeUnit.SECONDS));
    watch.close();
  }

  @Test
  void aTransactionIsSeenAsAWhole() throws Exception {
    store.transact(
        nodes -> {
          nodes.write("/a", "1");
          nodes.write("/b", "2");
          assertEquals("1", nodes.read("/a"));
          assertEquals(Optional.empty(), simulated.find("/a"));
          return 0;
        });
    assertEquals(List.of("/a=1", "/b=2"), simulated.takeWritten());
  }

  @Test
  void aTransactionThatOthersGotInTheWayOfIsTriedAgain() throws Exception {
    List<String> seen = new ArrayList<>();
    simulated.write("/a", "1");
    store.transact(
        nodes -> {
          seen.add(nodes.read("/a"));
          if (seen.size() == 1) {
            simulated.write("/a", "2");
          }
          nodes.write("/b", "after " + seen);
          return 0;
        });
    assertEquals(List.of("1", "2"), seen);
    assertEquals(List.of("/b=after [1, 2]"), simulated.takeWritten());
  }

  @Test
  void aTransactionThatFailsWritesNothing() {
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                store.transact(
                    nodes -> {
                      nodes.write("/a", "1");
                      throw new IOException("not this");
                    }));
    assertEquals("not this", e.getMessage());
    assertEquals(Optional.empty(), simulated.find("/a"));
  }

  @Test
  void aTransactionIsNotTriedForEver() throws Exception {
    simulated.disturb(1000);
    StoreException e = refused("EAGAIN", () -> store.transact(nodes -> 0));
    assertEquals("others changed the same nodes of the store 100 times in a row", e.getMessage());
    simulated.disturb(3);
    assertEquals("seven", store.transact(nodes -> "seven"));
  }

  @Test
  void domainsAreKnownByTheirNumbers() throws Exception {
    assertEquals("/local/domain/5", store.domainPath(5));
    assertTrue(store.isIntroduced(5));
    simulated.endDomain(5);
    assertFalse(store.isIntroduced(5));
    assertEquals(0, store.ownDomain());
    simulated.write("/local/domain/0/domid", "3");
    assertEquals(3, store.ownDomain());
  }

  @Test
  void theEndOfADomainIsHeard() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    StoreWatch watch = store.watch("@releaseDomain", heard::add);
    assertEquals("@releaseDomain", heard.poll(30, TimeUnit.SECONDS));
    simulated.endDomain(5);
    assertEquals("@releaseDomain", heard.poll(30, TimeUnit.SECONDS));
    watch.close();
  }

  @Test
  void whatIsNoPathIsNotSent() {
    for (String path : List.of("", "a", "/a/", "//a", "/a b", "/a\0b", "/" + "a".repeat(3072))) {
      assertThrows(IllegalArgumentException.class, () -> store.read(path), path);
    }
    assertThrows(IllegalArgumentException.class, () -> store.write("/a", "x\0y"));
  }

  @Test
  void aValueThatIsTooLongIsRefusedByItsPath() {
    StoreException e = refused("E2BIG", () -> store.write("/a", "x".repeat(4080)));
    assertEquals("/a: 4083 bytes are more than the store takes", e.getMessage());
  }

  @Test
  void theEndOfTheStoreEndsWhatIsAskedAndIsTold() throws Exception {
    simulated.close();
    IOException reason = store.ended().get(30, TimeUnit.SECONDS);
    assertEquals("the connection to Xen's store has ended", reason.getMessage());
    assertEquals(
        reason.getMessage(), assertThrows(IOException.class, () -> store.read("/a")).getMessage());
  }

  @Test
  void theEndOfTheStoreWithinATransactionIsToldAsWell() {
    StoreException e =
        refused(
            "EIO",
            () ->
                store.transact(
                    nodes -> {
                      simulated.close();
                      IOException unused = store.ended().join();
                      return nodes.read("/a");
                    }));
    assertEquals("the connection to Xen's store has ended", e.getMessage());
  }

  @Test
  void aMachineWithoutXenIsToldSo() {
    Map<String, String> elsewhere = Map.of(XenStore.VARIABLE, folder + "/nobody");
    StoreException e = refused("ENOENT", () -> XenStore.open(elsewhere));
    assertEquals(Errno.ENOENT, e.number());
    assertTrue(
        e.getMessage().startsWith("xenstored does not answer at " + folder + "/nobody: "),
        e.getMessage());
  }
}
