package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong with a device: it is told, and the guest is not left waiting. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class XenDiskTroubleTest extends XenDiskFixture {
  @Test
  void noFormatIsGuessed() throws Exception {
    front.attach("vhd:" + image("qcow2").substring("qcow2:".length()));
    disk.step();
    assertEquals("6", front.backState());
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

  @Test
  void aDiskDoesNotShrink() throws Exception {
    connectTo(image("raw"));
    simulated.write(front.back + "/vdisk-size", Integer.toString(MIB));
    disk.step();
    assertTrue(trouble().contains("cannot grow from 8388608 to 1048576 bytes"), trouble());
    assertEquals("4", front.backState());
    assertEquals(0, guest.write(0, 5));
  }

  @ParameterizedTest
  @ValueSource(strings = {"10G", "-1", "9999999999999999999", "1\0"})
  void aSizeThatIsNoneIsToldAndTheDiskGoesOn(String size) throws Exception {
    connectTo(image("raw"));
    simulated.write(front.back + "/vdisk-size", size);
    disk.step();
    assertTrue(trouble().startsWith(front.back + "/vdisk-size "), trouble());
    assertEquals("4", front.backState());
    assertEquals(0, guest.write(0, 5));
  }

  @Test
  void aLongStoryIsCutShortForTheStore() throws Exception {
    front.attach("vhd:" + folder + "/" + "long".repeat(998)); // nearly as long as a node can be
    disk.step();
    assertEquals("6", front.backState());
    assertTrue(trouble().startsWith(folder + "/longlong"), trouble());
    assertEquals(trouble(), simulated.find(front.back + "/hotplug-error").orElseThrow());
  }

  @Test
  void whatAStrangerMayHaveSaidIsShownWithoutItsControlCharacters() throws Exception {
    front.attach(image("raw"));
    disk.step();
    refusal = "grant\0\n2026-01-01 00:00:00 INFO all is well\033[2J";
    front.makeRing(8, 15);
    disk.step();
    assertEquals("5", front.backState());
    assertEquals("grant??2026-01-01 00:00:00 INFO all is well?[2J", trouble());
  }

  @Test
  void whatAProcessBeforeCouldNotDoIsForgottenOnceItIsDone() throws Exception {
    front.attach("raw:" + folder + "/disk.raw");
    disk.step();
    disk.close();
    disk = newDisk(front.device);
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
  void anImageThatIsOpenElsewhereIsWaitedFor() throws Exception {
    String params = image("qcow2");
    BlockDevice elsewhere = openElsewhere();
    front.attach(params);
    disk.step();
    front.makeRing(8, 15); // as a guest does that has migrated: it does not wait for state 2
    for (int tick = 0; tick < XenDisk.MOST_TRIES - 1; tick++) {
      disk.tick();
      disk.step();
      assertEquals("1", front.backState());
    }
    assertTrue(trouble().contains("disk.qcow2 is in use"), trouble());
    elsewhere.close();
    disk.tick();
    assertEquals("4", front.backState());
    assertEquals("no trouble", trouble());
    assertEquals(0, guest.write(0, 5));
  }

  @Test
  void anImageThatStaysOpenElsewhereIsGivenUp() throws Exception {
    front.attach(image("qcow2"));
    opened.add(openElsewhere());
    disk.step();
    for (int tick = 0; tick < XenDisk.MOST_TRIES; tick++) {
      assertEquals("1", front.backState());
      disk.tick();
    }
    assertEquals("6", front.backState());
    disk.tick();
    assertEquals("6", front.backState());
  }

  @Test
  void whoeverAttachesADiskByHandIsToldAtOnceThatItIsOpenElsewhere() throws Exception {
    front = new PlayedFrontend(simulated, new BackendDevice(0, "vdisk", 7, 51712));
    disk = newDisk(front.device);
    front.attach(image("qcow2"));
    opened.add(openElsewhere());
    disk.step();
    assertEquals("6", front.backState());
  }

  private BlockDevice openElsewhere() throws IOException {
    return Images.open(folder.resolve("disk.qcow2"), OpenOptions.readWrite().withFormat("qcow2"));
  }
}
