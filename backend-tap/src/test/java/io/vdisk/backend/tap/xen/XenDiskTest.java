package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.backend.tap.MemoryGuest;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The steps of a back end, one at a time, and what it writes in which order. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class XenDiskTest extends XenDiskFixture {
  @Test
  void theGuestIsToldOfTheDiskInThisOrder() throws Exception {
    front.attach(image("qcow2"));
    assertEquals(
        List.of(
            "hotplug-status=connected",
            "max-ring-page-order=4",
            "multi-queue-max-queues=2",
            "feature-max-indirect-segments=256",
            "state=2"),
        step());
    assertEquals(List.of(), step());
    front.makeRing(8, 15);
    assertEquals(
        List.of(
            "feature-flush-cache=1",
            "feature-barrier=1",
            "feature-discard=1",
            "discard-granularity=4096",
            "discard-alignment=0",
            "feature-persistent=1",
            "sectors=16384",
            "sector-size=512",
            "physical-sector-size=512",
            "info=0",
            "state=4"),
        step());
    assertEquals(
        List.of(new XenRing(7, 51712, 0, List.of(8), 15, RingAbi.X86_64, true)), connected);
    assertEquals(List.of(), step());
    front.state(XenbusState.CONNECTED);
    assertEquals(List.of(), step());
    assertEquals(0, guest.write(0, 5));
    assertEquals(5, guest.read(0));
  }

  @ParameterizedTest
  @CsvSource({"qcow,qcow", "qcow2,qcow2", "vhd,vhd", "vmdk,vmdk", "raw,aio", "raw,raw"})
  void theImageIsOpenedAsTheToolstackNamesIt(String format, String said) throws Exception {
    String params = image(format);
    connectTo(said + params.substring(params.indexOf(':')));
    assertEquals(0, guest.write(8, 5));
    assertEquals(5, guest.read(8));
  }

  @Test
  void closingWaitsForTheFrontEnd() throws Exception {
    connectTo(image("qcow2"));
    front.state(XenbusState.CLOSING);
    assertEquals(List.of("state=5"), step());
    assertEquals(0, guest.write(0, 6)); // Linux before 5.14 said so while the disk was in use
    assertEquals(List.of(), step());
    front.state(XenbusState.CLOSED);
    assertEquals(List.of("state=6"), step());
    assertFalse(guest.isServed());
    assertEquals(List.of(), step());
  }

  @Test
  void aToolstackThatDetachesIsObeyed() throws Exception {
    connectTo(image("qcow2"));
    front.askToClose();
    assertEquals(List.of(), step());
    assertTrue(guest.isServed());
    front.state(XenbusState.CLOSED);
    assertEquals(List.of("state=6"), step());
    simulated.remove(front.front);
    assertEquals(List.of(), step());
    simulated.remove(front.back);
    disk.step();
    assertTrue(disk.isGone());
  }

  @Test
  void aDeviceWhoseNodesAreMadeAnewIsNotGone() throws Exception {
    connectTo(image("raw"));
    simulated.remove(front.back);
    disk.step();
    assertTrue(disk.isGone());
    front.attach("raw:" + folder + "/disk.raw");
    disk.step();
    assertFalse(disk.isGone());
    assertEquals("2", front.backState());
  }

  @Test
  void aDeviceWithoutRingIsClosedAtOnce() throws Exception {
    front.attach(image("qcow2"));
    disk.step();
    front.askToClose();
    simulated.takeWritten();
    assertEquals(List.of("state=6"), step());
  }

  @Test
  void aFrontEndThatComesBackIsServedAnew() throws Exception {
    connectTo(image("qcow2"));
    assertEquals(0, guest.write(0, 5));
    front.state(XenbusState.CLOSED);
    disk.step();
    front.state(XenbusState.INITIALISING);
    disk.step();
    assertEquals("2", front.backState());
    front.makeRing(9, 16);
    disk.step();
    assertEquals("4", front.backState());
    assertEquals(List.of(9), connected.get(1).grants());
    assertEquals(5, new ReadBack().of(0));
  }

  /** The guest's ring is new, too. */
  private final class ReadBack {
    int of(long sector) throws Exception {
      MemoryGuest other = new MemoryGuest();
      front.state(XenbusState.CLOSED);
      disk.step();
      front.state(XenbusState.INITIALISING);
      XenStore store = XenStore.open(simulated.socket());
      DeviceLocks locks = DeviceLocks.open(folder.resolve("other"));
      XenOptions options = new XenOptions(DiskPolicy.DEFAULT, folder.resolve("other"), 2);
      try (store;
          locks;
          XenDisk again =
              new XenDisk(
                  new XenHost(store, options, other::transport, locks, files()),
                  front.device,
                  () -> {})) {
        again.step();
        front.makeRing(10, 17);
        again.step();
        return other.read(sector);
      }
    }
  }

  @Test
  void aFrontEndThatBeginsAnewWithoutClosingIsServedAnew() throws Exception {
    connectTo(image("raw"));
    front.state(XenbusState.INITIALISING);
    disk.step();
    assertEquals("2", front.backState());
    assertFalse(guest.isServed());
    front.makeRing(9, 16);
    disk.step();
    assertEquals("4", front.backState());
  }

  @ParameterizedTest
  @CsvSource({"9, 16", "8, 15"})
  void aGuestThatWasResumedHasAnotherRing(int grant, int port) throws Exception {
    connectTo(image("raw"));
    front.makeRing(grant, port);
    List<String> written = step();
    assertEquals("state=4", written.get(written.size() - 1));
    assertEquals(2, connected.size());
    assertEquals(List.of(grant), connected.get(1).grants());
  }

  @Test
  void aBackEndThatWasKilledGoesOnWithTheSameRingAndWritesNothing() throws Exception {
    connectTo(image("raw"));
    disk.close();
    assertFalse(guest.isServed());
    disk = newDisk(front.device);
    assertEquals(List.of(), step());
    assertTrue(guest.isServed());
    assertEquals(connected.get(0), connected.get(1));
    assertEquals(0, guest.write(0, 7));
  }

  @Test
  void aBackEndThatWasKilledWhileTheGuestWasClosingServesItToItsEnd() throws Exception {
    connectTo(image("raw"));
    front.askToClose();
    disk.close();
    disk = newDisk(front.device);
    assertEquals(List.of(), step());
    assertEquals(0, guest.write(0, 7));
    front.state(XenbusState.CLOSED);
    assertEquals(List.of("state=6"), step());
  }

  @Test
  void aBackEndThatWasKilledWhileTheGuestWasClosingItsUsedDiskServesItToItsEnd() throws Exception {
    connectTo(image("raw"));
    front.state(XenbusState.CLOSING); // as Linux' front end does with a disk that is mounted
    disk.step();
    disk.close();
    disk = newDisk(front.device);
    simulated.takeWritten();
    assertEquals(List.of(), step());
    assertEquals(0, guest.write(0, 7));
    front.state(XenbusState.CLOSED);
    assertEquals(List.of("state=6"), step());
  }

  @Test
  void aGuestThatHasLetGoOfItsRingClosesThoughItsBackEndWasKilled() throws Exception {
    connectTo(image("raw"));
    front.state(XenbusState.CLOSING);
    disk.step();
    disk.close();
    disk = newDisk(front.device);
    refusal = "grant 8 does not map";
    disk.step();
    assertEquals("5", front.backState());
    front.state(XenbusState.CLOSED);
    disk.step();
    assertEquals("6", front.backState());
  }

  @Test
  void aDeviceThatIsMadeAnewBehindOurBackHasItsOwnImage() throws Exception {
    connectTo(image("raw"));
    assertEquals(0, guest.write(0, 7));
    simulated.remove(front.back);
    simulated.remove(front.front);
    connectTo(image("qcow2"));
    assertEquals(0, guest.read(0));
    assertEquals("no trouble", trouble());
  }

  @Test
  void aDeviceThatIsMadeAnewBehindOurBackIsTriedAnew() throws Exception {
    front.attach("raw:" + folder + "/disk.raw");
    disk.step();
    assertEquals("6", front.backState());
    simulated.remove(front.back);
    String unused = image("raw");
    front.attach("raw:" + folder + "/disk.raw");
    disk.step();
    assertEquals("2", front.backState());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMemoryDiskIsNoneAfterItsProcessWasKilled(boolean isClosing) throws Exception {
    connectTo("ram:1M");
    assertEquals(0, guest.write(0, 7));
    if (isClosing) {
      front.askToClose();
    }
    disk.close();
    disk = newDisk(front.device);
    disk.step();
    assertEquals("5", front.backState());
    assertFalse(guest.isServed());
    assertEquals("ram:1M was lost with the process that served it", trouble());
    front.state(XenbusState.CLOSED);
    disk.step();
    front.state(XenbusState.INITIALISING);
    disk.step();
    assertEquals(isClosing ? "6" : "2", front.backState()); // an empty one
  }

  @Test
  void aFrontEndThatIsGoneIsLetGo() throws Exception {
    connectTo(image("raw"));
    simulated.remove(front.front);
    assertEquals(List.of("state=6"), step());
    assertFalse(guest.isServed());
  }

  @Test
  void aGuestThatDiedIsLetGo() throws Exception {
    connectTo(image("raw"));
    simulated.endDomain(7);
    assertEquals(List.of("state=6"), step());
    assertFalse(guest.isServed());
  }

  @Test
  void nodesThatNoToolstackRemovesGoWithTheirGuest() throws Exception {
    front = new PlayedFrontend(simulated, new BackendDevice(0, "vdisk", 7, 51712));
    disk = newDisk(front.device);
    connectTo(image("raw"));
    simulated.remove("/local/domain/7");
    assertEquals(List.of("state=6", "-" + front.back), step());
    assertTrue(disk.isGone());
  }

  @Test
  void nodesThatWereRemovedAreNotMadeAgain() throws Exception {
    connectTo(image("raw"));
    simulated.remove(front.back);
    assertEquals(List.of(), step());
    assertFalse(guest.isServed());
    assertEquals("gone", front.backState());
  }

  @Test
  void whatAToolstackWroteMeanwhileIsNotWrittenOver() throws Exception {
    front.attach(image("raw"));
    disk.step();
    OwnNodes own = new OwnNodes(XenStore.open(simulated.socket()), front.device);
    front.askToClose();
    assertFalse(own.write(XenbusState.INIT_WAIT, XenbusState.CONNECTED));
    assertEquals("5", front.backState());
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2", "vhd"}) // what was answered is kept, or in a log
  void severalQueuesOfSeveralPagesAreServed(String format) throws Exception {
    front.attach(image(format));
    disk.step();
    simulated.write(
        front.front,
        List.of(
            "multi-queue-num-queues=2",
            "ring-page-order=1",
            "queue-0/ring-ref0=1",
            "queue-0/ring-ref1=2",
            "queue-0/event-channel=3",
            "queue-1/ring-ref0=4294967295",
            "queue-1/ring-ref1=5",
            "queue-1/event-channel=6",
            "protocol=x86_32-abi",
            "state=3"));
    disk.step();
    assertEquals(
        List.of(
            new XenRing(7, 51712, 0, List.of(1, 2), 3, RingAbi.X86_32, false),
            new XenRing(7, 51712, 1, List.of(-1, 5), 6, RingAbi.X86_32, false)),
        connected);
    assertEquals("4", front.backState(), this::trouble);
  }

  @Test
  void severalQueuesShareALog() throws Exception {
    front.attach(image("qcow2"));
    disk.step();
    simulated.write(
        front.front,
        List.of(
            "multi-queue-num-queues=2",
            "queue-0/ring-ref=1",
            "queue-0/event-channel=3",
            "queue-1/ring-ref=2",
            "queue-1/event-channel=6",
            "state=3"));
    disk.step();
    assertEquals("4", front.backState(), this::trouble);
    assertEquals(1, logs().size());
  }

  private List<Path> logs() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("run"))) {
      return files.filter(file -> file.getFileName().toString().startsWith("writes-")).toList();
    }
  }

  @Test
  void aDiskThatDoesOneRequestAtATimeOffersOneQueue() throws Exception {
    front.attach("sync:" + image("raw").substring("aio:".length()));
    assertTrue(step().contains("multi-queue-max-queues=1"));
  }

  @Test
  void aFrontEndThatSaysNoProtocolHasTheHostsLayout() throws Exception {
    front.attach(image("raw"));
    disk.step();
    simulated.write(front.front, List.of("ring-ref=8", "event-channel=15", "state=3"));
    disk.step();
    assertEquals(RingAbi.ofHost(), connected.get(0).abi());
    assertFalse(connected.get(0).isPersistent());
  }

  @Test
  void nodesThatComeOneByOneAreWaitedFor() throws Exception {
    String params = image("raw");
    for (String node :
        List.of(
            "state=1", "frontend-id=7", "frontend=" + front.front, "mode=w", "params=" + params)) {
      assertEquals(Optional.empty(), simulated.find(front.front + "/state"));
      simulated.write(front.back, List.of(node));
      disk.step();
    }
    assertEquals("1", front.backState());
    simulated.write(front.front + "/state", "1");
    disk.step();
    assertEquals("2", front.backState());
    assertEquals("no trouble", trouble());
  }

  @ParameterizedTest
  @CsvSource({"mode=r, 4", "device-type=cdrom, 5"})
  void aDiskThatIsNotWrittenSaysSo(String node, String info) throws Exception {
    connectTo(image("raw"), node);
    assertEquals(Optional.of(info), simulated.find(front.back + "/info"));
    assertEquals(Optional.empty(), simulated.find(front.back + "/feature-discard"));
    assertEquals(-1, guest.write(0, 5));
    assertEquals(0, guest.read(0));
  }

  @Test
  void aToolstackMayForbidDiscards() throws Exception {
    connectTo(image("raw"), "discard-enable=0");
    assertEquals(Optional.empty(), simulated.find(front.back + "/feature-discard"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow2", "raw"})
  void aDiskGrowsWhileItIsUsed(String format) throws Exception {
    connectTo(image(format));
    simulated.write(front.back + "/vdisk-size", Integer.toString(16 * MIB));
    assertEquals(List.of("sectors=32768", "state=4"), step());
    assertEquals(List.of(), step());
    assertEquals(0, guest.write(32760, 5));
  }

  @Test
  void aDiskThatGrewWhileNobodyServedItIsToldOf() throws Exception {
    connectTo(image("raw"));
    disk.close();
    try (var file =
        Files.newByteChannel(folder.resolve("disk.raw"), java.nio.file.StandardOpenOption.WRITE)) {
      file.position(16 * MIB - 1).write(java.nio.ByteBuffer.allocate(1));
    }
    disk = newDisk(front.device);
    assertEquals(List.of("sectors=32768", "state=4"), step());
  }

  @Test
  void requestsAreCountedInTheStoreWhenTheyChange() throws Exception {
    connectTo(image("raw"));
    assertEquals(0, guest.write(0, 5));
    int unused = guest.read(0);
    disk.tick();
    assertEquals(
        List.of(
            "statistics=rd_req=1 rd_sect=8 wr_req=1 wr_sect=8 f_req=0 ds_req=0 ds_sect=0 errors=0"),
        written(front.device));
    disk.tick();
    assertEquals(List.of(), written(front.device));
  }

  @Test
  void whatGuestsWroteIsKeptUntilItIsDurable() throws Exception {
    connectTo(image("qcow2"));
    assertEquals(0, guest.write(0, 5));
    assertEquals(1, logs().size());
  }
}
