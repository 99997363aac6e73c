package io.vdisk.backend.tap.xen;

import io.vdisk.testkit.SimulatedXenStore;
import java.util.ArrayList;
import java.util.List;

/** Writes what a toolstack and a guest's front end write for one device, in their steps. */
final class PlayedFrontend {
  private final SimulatedXenStore store;
  final BackendDevice device;
  final String back;
  final String front;

  PlayedFrontend(SimulatedXenStore store, BackendDevice device) {
    this.store = store;
    this.device = device;
    this.back = device.path();
    this.front = "/local/domain/" + device.domain() + "/device/vbd/" + device.device();
  }

  /** Both halves, as xl makes them; with {@code name=value} for what is to be other. */
  void attach(String params, String... more) {
    store.write(
        front,
        List.of(
            "backend=" + back,
            "backend-id=" + device.host(),
            "virtual-device=" + device.device(),
            "device-type=disk",
            "state=1"));
    List<String> nodes =
        new ArrayList<>(
            List.of(
                "frontend=" + front,
                "params=" + params,
                "frontend-id=" + device.domain(),
                "online=1",
                "removable=1",
                "bootable=1",
                "dev=xvda",
                "type=qdisk",
                "mode=w",
                "device-type=disk",
                "discard-enable=1"));
    nodes.addAll(List.of(more));
    nodes.add("state=1");
    store.write(back, nodes);
  }

  /** A ring of one page, as blkfront tells of it. */
  void makeRing(int grant, int port) {
    store.write(
        front,
        List.of(
            "ring-ref=" + grant,
            "event-channel=" + port,
            "protocol=x86_64-abi",
            "feature-persistent=1",
            "state=3"));
  }

  void state(XenbusState state) {
    store.write(front + "/state", state.value());
  }

  /** As xl detaches. */
  void askToClose() {
    store.write(back, List.of("online=0", "state=5"));
  }

  String backState() {
    return store.find(back + "/state").orElse("gone");
  }
}
