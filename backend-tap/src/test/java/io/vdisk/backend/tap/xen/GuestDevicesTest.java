package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A guest owns its half of a disk's nodes: what it writes there does no harm to others. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class GuestDevicesTest {
  private static final DeviceNumber XVDA = new DeviceNumber(51712);
  private static final String FRONT = "/local/domain/7/device/vbd/51712";

  @TempDir Path folder;

  private SimulatedXenStore simulated;
  private XenStore store;
  private GuestDevices devices;
  private BackendDevice own;
  private BackendDevice others;

  @BeforeEach
  void attach() throws IOException {
    simulated = SimulatedXenStore.open(folder.toRealPath());
    simulated.write("/local/domain/0/name", "Domain-0");
    simulated.write("/local/domain/7/name", "hostile");
    simulated.write("/local/domain/8/name", "other");
    store = XenStore.open(simulated.socket());
    devices = new GuestDevices(store);
    own = devices.attach(0, "vdisk", 7, XVDA, "aio:/own", "w", false);
    others = devices.attach(0, "vdisk", 8, XVDA, "aio:/others", "w", false);
  }

  @AfterEach
  void end() throws IOException {
    store.close();
    simulated.close();
  }

  private void detach(boolean isForced) throws IOException {
    devices.detach(7, XVDA, isForced, Duration.ZERO);
  }

  @Test
  void aGuestThatNamesTheBackEndOfAnotherLosesItsOwn() throws Exception {
    simulated.write(FRONT + "/backend", others.path());
    assertThrows(DiskException.class, () -> detach(false)); // it does not let go
    assertEquals(Optional.of("5"), simulated.find(own.path() + "/state"));
    assertEquals(Optional.of("1"), simulated.find(others.path() + "/state"));
    detach(true);
    assertEquals(Optional.empty(), simulated.find(own.path()));
    assertEquals(Optional.of("1"), simulated.find(others.path() + "/state"));
  }

  @Test
  void aGuestThatRemovesItsHalfLosesTheOtherOneToo() throws Exception {
    simulated.remove(FRONT);
    detach(true);
    assertEquals(Optional.empty(), simulated.find(own.path()));
    DiskException failure = assertThrows(DiskException.class, () -> detach(true));
    assertEquals("domain 7 has no device xvda", failure.sentence());
  }

  @Test
  void aHalfThatWasLeftBehindIsRemoved() throws Exception {
    simulated.remove(own.path());
    detach(false);
    assertEquals(Optional.empty(), simulated.find(FRONT));
  }

  @Test
  void whatAGuestSaysOfItsDiskIsShownAsOneWord() throws Exception {
    simulated.write(
        FRONT,
        List.of(
            "backend=" + others.path() + "/..\033[2J",
            "backend-id=\033[2J",
            "state=4\n7",
            "event-channel=\0x",
            "ring-ref=8"));
    assertEquals(
        List.of(new GuestDevices.Line(XVDA, "0", "4?7", "?", "8", own.path(), "aio:/own")),
        devices.list(7));
  }

  @Test
  void aBackEndThatClaimsTheDiskOfAGuestIsNotItsOwn() throws Exception {
    String claimed = "/local/domain/8/backend/vdisk/7/51712"; // of a driver domain
    simulated.write(claimed, List.of("frontend=" + FRONT, "state=1"));
    assertEquals(own.path(), devices.list(7).get(0).backPath());
    detach(true);
    assertEquals(Optional.of("1"), simulated.find(claimed + "/state"));
  }

  @Test
  void aDomainThatHasGoneGetsNoNodes() {
    DiskException failure =
        assertThrows(
            DiskException.class,
            () -> devices.attach(0, "vdisk", 9, XVDA, "aio:/disk", "w", false));
    assertEquals("there is no domain '9' in Xen's store", failure.sentence());
    assertEquals(Optional.empty(), simulated.find("/local/domain/9"));
  }
}
