package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.backend.tap.LeftFiles;
import io.vdisk.backend.tap.MemoryGuest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process is killed that answered a guest, and what the guest does before the next one looks. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
final class KilledBackEndTest extends XenDiskFixture {
  private String params;

  /** The first sector was written, which is in the log only; the next process has not looked. */
  private void writeAndKill() throws Exception {
    params = image("qcow2");
    connectTo(params);
    assertEquals(0, guest.write(0, 7));
    LeftFiles left = LeftFiles.now(imageFile(), folder.resolve("run"));
    disk.close();
    left.restore();
    disk = newDisk(front.device);
  }

  private Path imageFile() {
    return folder.resolve("disk.qcow2");
  }

  private BlockDevice open(OpenOptions options) throws IOException {
    return Images.open(imageFile(), options.withFormat("qcow2"));
  }

  private int first() throws IOException {
    try (BlockDevice image = open(OpenOptions.readOnly())) {
      ByteBuffer sector = ByteBuffer.allocate(512);
      image.read(sector, 0);
      return sector.get(0);
    }
  }

  private List<Path> logs() throws IOException {
    return LeftFiles.logs(folder.resolve("run"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"closes", "is detached", "dies", "asked for its ring to end"})
  void aDeviceThatIsClosedHasWhatItsGuestWasAnswered(String guestThen) throws Exception {
    writeAndKill();
    switch (guestThen) {
      case "closes" -> front.state(XenbusState.CLOSED);
      case "is detached" -> {
        front.askToClose();
        front.state(XenbusState.CLOSED);
      }
      case "dies" -> simulated.remove(front.front);
      default -> {
        front.askToClose();
        front.state(XenbusState.INITIALISING);
      }
    }

    disk.step();

    assertEquals("6", front.backState());
    assertEquals(7, first());
    assertEquals(List.of(), logs());
    assertEquals("no trouble", trouble());
  }

  @Test
  void aGuestThatBeginsANewRingReadsWhatItWasAnswered() throws Exception {
    writeAndKill();
    guest = new MemoryGuest();
    front.makeRing(9, 16);

    disk.step();

    assertEquals(7, guest.read(0));
  }

  @Test
  void anotherGuestWithTheImageReadsItAlthoughTheNodesAreGone() throws Exception {
    writeAndKill();
    simulated.remove(front.front);
    simulated.remove(front.back);
    disk.step();
    assertTrue(disk.isGone());
    guest = new MemoryGuest();
    front = new PlayedFrontend(simulated, new BackendDevice(0, "qdisk", 9, 51728));
    simulated.write("/local/domain/9/name", "other");
    disk = newDisk(front.device);

    connectTo(params);

    assertEquals(7, guest.read(0));
  }

  @Test
  void anImageThatCannotBeOpenedThenIsToldAndWrittenByWhoOpensItNext() throws Exception {
    writeAndKill();
    try (BlockDevice elsewhere = open(OpenOptions.readWrite())) {
      assertEquals(8 * MIB, elsewhere.size());
      front.state(XenbusState.CLOSED);
      disk.step();
    }
    assertEquals("6", front.backState());
    assertTrue(trouble().contains("disk.qcow2 is in use"), trouble());
    assertEquals(1, logs().size());
    guest = new MemoryGuest();
    front.state(XenbusState.INITIALISING);
    disk.step();
    front.makeRing(9, 16);

    disk.step();

    assertEquals(7, guest.read(0));
    assertEquals("no trouble", trouble());
  }

  @Test
  void nothingIsWrittenForAGuestThatOnlyReads() throws Exception {
    writeAndKill();
    front = new PlayedFrontend(simulated, new BackendDevice(0, "qdisk", 7, 51728));
    disk = newDisk(front.device);
    front.attach(params, "mode=r");

    disk.step();

    assertTrue(trouble().contains("open it for writing first"), trouble());
    assertEquals("6", front.backState());
    assertEquals(0, first());
    assertEquals(1, logs().size());
  }
}
