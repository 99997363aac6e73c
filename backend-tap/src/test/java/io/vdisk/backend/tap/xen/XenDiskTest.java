package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.MemoryGuest;
import io.vdisk.backend.tap.RingAbi;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The steps of a back end, one at a time, and what it writes in which order. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class XenDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private final MemoryGuest guest = new MemoryGuest();
  private final List<XenRing> connected = new ArrayList<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private SimulatedXenStore simulated;
  private PlayedFrontend front;
  private XenDisk disk;
  private String refusal = "";

  @BeforeEach
  void attach() throws IOException {
    folder = folder.toRealPath();
    simulated = SimulatedXenStore.open(folder);
    opened.add(simulated);
    front = new PlayedFrontend(simulated, new BackendDevice(0, "qdisk", 7, 51712));
    simulated.write("/local/domain/7/name", "guest");
    disk = newDisk(front.device);
  }

  private XenDisk newDisk(BackendDevice device) throws IOException {
    XenStore store = XenStore.open(simulated.socket());
    DeviceLocks locks = DeviceLocks.open(folder.resolve("run"));
    XenOptions options = new XenOptions(DiskPolicy.DEFAULT, folder.resolve("run"), 2);
    XenHost host = new XenHost(store, options, this::connect, locks, files());
    XenDisk made = new XenDisk(host, device, () -> {});
    opened.add(0, store);
    opened.add(0, locks);
    opened.add(0, made);
    return made;
  }

  private RingFiles files() {
    return new RingFiles(folder.resolve("shm"), 1);
  }

  private io.vdisk.backend.tap.TapTransport connect(XenRing ring) throws IOException {
    if (!refusal.isEmpty()) {
      throw new IOException(refusal);
    }
    connected.add(ring);
    return guest.transport(ring);
  }

  @AfterEach
  void detach() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private String image(String format) throws IOException {
    Path file = folder.resolve("disk." + format);
    Images.create(file, CreateOptions.of(format, 8 * MIB)).close();
    return format.equals("raw") ? "aio:" + file : format + ":" + file;
  }

  private List<String> step() throws IOException {
    disk.step();
    return written(front.device);
  }

  /** What was written since the last step, without the path of the back end. */
  private List<String> written(BackendDevice device) {
    return simulated.takeWritten().stream()
        .map(node -> node.replace(device.path() + "/", ""))
        .toList();
  }

  private void connectTo(String params, String... more) throws IOException {
    front.attach(params, more);
    disk.step();
    front.makeRing(8, 15);
    disk.step();
    front.state(XenbusState.CONNECTED);
    disk.step();
    assertEquals("4", front.backState(), this::trouble);
    simulated.takeWritten();
  }

  private String trouble() {
    return simulated.find(front.device.errorPath() + "/error").orElse("no trouble");
  }

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
  void noFormatIsGuessed() throws Exception {
    front.attach("vhd:" + image("qcow2").substring("qcow2:".length()));
    disk.step();
    assertEquals("6", front.backState());
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

  @Test
  void anImageThatDoesNotOpenIsToldAndTheFrontEndIsNotLeftHanging() throws Exception {
    front.attach("vhd:" + folder + "/none.vhd");
    String sentence = folder + "/none.vhd does not exist";
    assertEquals(
        List.of(
            front.device.errorPath() + "/error=" + sentence,
            "hotplug-error=" + sentence,
            "hotplug-status=error",
            "state=6"),
        step());
    assertEquals(List.of(), step());
    front.state(XenbusState.CLOSED);
    assertEquals(List.of(), step());
  }

  @Test
  void aDiskIsTriedAgainWhenTheFrontEndIs() throws Exception {
    front.attach("raw:" + folder + "/disk.raw");
    disk.step();
    assertEquals("6", front.backState());
    String unused = image("raw");
    front.state(XenbusState.CLOSED);
    disk.step();
    front.state(XenbusState.INITIALISING);
    disk.step();
    assertEquals("2", front.backState());
    assertEquals("no trouble", trouble());
    assertEquals(Optional.empty(), simulated.find(front.back + "/hotplug-error"));
  }

  @Test
  void aRingThatCannotBeMappedClosesTheDevice() throws Exception {
    front.attach(image("raw"));
    disk.step();
    refusal = "domain 7, device 51712: grant 8 does not map";
    front.makeRing(8, 15);
    simulated.takeWritten();
    assertEquals(
        List.of(
            front.device.errorPath() + "/error=" + refusal,
            "hotplug-error=" + refusal,
            "hotplug-status=error",
            "state=5"),
        step());
    assertEquals(List.of(), step());
    front.state(XenbusState.CLOSED);
    assertEquals(List.of("state=6"), step());
  }

  @Test
  void aRingThatWasGivenUpClosesTheDevice() throws Exception {
    connectTo(image("raw"));
    guest.breakRing();
    while (guest.isServed()) {
      Thread.onSpinWait();
    }
    disk.tick();
    assertEquals("5", front.backState());
    assertEquals("a ring of domain 7, device 51712 (qdisk) was given up", trouble());
  }

  @ParameterizedTest
  @CsvSource({
    "ring-ref, abc, 'ring-ref is ''abc'', no number from 0 to 4294967295'",
    "ring-ref, -1, 'ring-ref is ''-1'', no number from 0 to 4294967295'",
    "event-channel, 99999999999, 'event-channel is ''99999999999'', no number from 0 to 2147483647'",
    "ring-page-order, 5, 'ring-page-order is ''5'', no number from 0 to 4'",
    "ring-page-order, 2, 'ring-ref0 is missing from Xen''s store'",
    "multi-queue-num-queues, 3, 'multi-queue-num-queues is ''3'', no number from 1 to 2'",
    "multi-queue-num-queues, 2, 'queue-0/event-channel is missing from Xen''s store'",
    "feature-persistent, yes, 'feature-persistent is ''yes'', no number from 0 to 1'",
    "protocol, x86_16-abi, 'protocol is ''x86_16-abi'', which is not known'"
  })
  void whatAFrontEndSaysIsChecked(String node, String value, String sentence) throws Exception {
    front.attach(image("raw"));
    disk.step();
    front.makeRing(8, 15);
    simulated.write(front.front + "/" + node, value);
    if (sentence.startsWith("queue-0/event")) {
      simulated.write(front.front + "/queue-0/ring-ref", "5");
    }
    disk.step();
    assertEquals(front.front + "/" + sentence, trouble());
    assertEquals("5", front.backState());
    assertEquals(List.of(), connected);
  }

  @Test
  void severalQueuesOfSeveralPagesAreServed() throws Exception {
    front.attach(image("raw"));
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

  @ParameterizedTest
  @CsvSource({
    "frontend-id, 8, 'frontend-id is 8, and its place says another'",
    "frontend, /local/domain/0/device/vbd/1, 'frontend is ''/local/domain/0/device/vbd/1'', no path of its guest'",
    "mode, x, 'mode is ''x'', not r, w, r! or w!'",
    "state, 17, 'state is no state of a device'"
  })
  void whatAToolstackSaysIsChecked(String node, String value, String sentence) throws Exception {
    front.attach(image("raw"), node + "=" + value);
    simulated.write(front.back + "/" + node, value);
    String before = front.backState();
    disk.step();
    assertEquals(front.back + "/" + sentence, trouble());
    assertEquals(before, front.backState());
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

  @Test
  void whatChangesWhileTheDiskIsOpenIsToldAndChangesNothing() throws Exception {
    connectTo(image("raw"));
    simulated.write(front.back + "/params", "raw:/etc/passwd");
    disk.step();
    assertEquals(
        front.back + " was changed while the disk is open, which stays as it was", trouble());
    assertEquals(0, guest.write(0, 5));
    simulated.remove(front.back + "/mode");
    disk.step();
    assertEquals(0, guest.write(0, 5));
    assertEquals("4", front.backState());
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

  @Test
  void anEmptyDriveIsToldAndServedOnceItHasAnImage() throws Exception {
    front.attach("aio:", "device-type=cdrom");
    disk.step();
    assertEquals("there is no image in the drive: params is 'aio:'", trouble());
    front.state(XenbusState.CLOSED);
    disk.step();
    simulated.write(front.back + "/params", image("raw"));
    front.state(XenbusState.INITIALISING);
    disk.step();
    assertEquals("2", front.backState());
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
  void aDiskDoesNotShrink() throws Exception {
    connectTo(image("raw"));
    simulated.write(front.back + "/vdisk-size", Integer.toString(MIB));
    disk.step();
    assertTrue(trouble().contains("cannot grow from 8388608 to 1048576 bytes"), trouble());
    assertEquals("4", front.backState());
    assertEquals(0, guest.write(0, 5));
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
  void oneProcessServesADevice() throws Exception {
    connectTo(image("raw"));
    try (DeviceLocks others = DeviceLocks.open(folder.resolve("run"))) {
      assertFalse(others.isFree(front.device));
      assertTrue(others.isFree(new BackendDevice(0, "qdisk", 7, 51728)));
      XenDisk second = newDisk(front.device);
      second.step();
      assertEquals("another process serves this device", trouble());
      assertEquals(1, connected.size());
      disk.close();
      second.tick();
      assertEquals(2, connected.size());
    }
  }

  @Test
  void whatGuestsWroteIsKeptUntilItIsDurable() throws Exception {
    connectTo(image("qcow2"));
    assertEquals(0, guest.write(0, 5));
    try (Stream<Path> files = Files.list(folder.resolve("run"))) {
      assertTrue(
          files.anyMatch(
              file -> file.getFileName().toString().startsWith("writes-qdisk-7-51712.")));
    }
  }
}
