package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.backend.tap.MemoryGuest;
import io.vdisk.backend.tap.XenRing;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.testkit.SimulatedXenStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * A back end of one device whose steps a test takes, with a store, a toolstack and a guest that are
 * played.
 */
abstract class XenDiskFixture {
  static final int MIB = 1 << 20;

  @TempDir Path folder;

  final List<XenRing> connected = new ArrayList<>();
  final List<AutoCloseable> opened = new ArrayList<>();
  SimulatedXenStore simulated;
  PlayedFrontend front;
  XenDisk disk;
  MemoryGuest guest = new MemoryGuest();
  String refusal = "";

  @BeforeEach
  void attach() throws IOException {
    folder = folder.toRealPath();
    simulated = SimulatedXenStore.open(folder);
    opened.add(simulated);
    front = new PlayedFrontend(simulated, new BackendDevice(0, "qdisk", 7, 51712));
    simulated.write("/local/domain/7/name", "guest");
    disk = newDisk(front.device);
  }

  XenDisk newDisk(BackendDevice device) throws IOException {
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

  RingFiles files() {
    return new RingFiles(folder.resolve("shm"), 1);
  }

  io.vdisk.backend.tap.TapTransport connect(XenRing ring) throws IOException {
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

  String image(String format) throws IOException {
    Path file = folder.resolve("disk." + format);
    Images.create(file, CreateOptions.of(format, 8 * MIB)).close();
    return format.equals("raw") ? "aio:" + file : format + ":" + file;
  }

  List<String> step() throws IOException {
    disk.step();
    return written(front.device);
  }

  /** What was written since the last step, without the path of the back end. */
  List<String> written(BackendDevice device) {
    return simulated.takeWritten().stream()
        .map(node -> node.replace(device.path() + "/", ""))
        .toList();
  }

  void connectTo(String params, String... more) throws IOException {
    front.attach(params, more);
    disk.step();
    front.makeRing(8, 15);
    disk.step();
    front.state(XenbusState.CONNECTED);
    disk.step();
    assertEquals("4", front.backState(), this::trouble);
    simulated.takeWritten();
  }

  String trouble() {
    return simulated.find(front.device.errorPath() + "/error").orElse("no trouble");
  }
}
