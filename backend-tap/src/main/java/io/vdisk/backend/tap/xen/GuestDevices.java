package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Attaches disks to guests and detaches them, as a toolstack does: by both sides' nodes in Xen's
 * store. Any thread may call.
 */
public final class GuestDevices {
  private static final String DOMAINS = "/local/domain";

  private final XenStore store;

  /**
   * A disk of a guest as the store shows it; what is missing is empty. What the guest says is its
   * word, without control characters, and {@code ?} if it is no text.
   *
   * @param host the domain of the back end
   * @param frontState of the guest's side
   */
  public record Line(
      DeviceNumber number,
      String host,
      String frontState,
      String port,
      String grant,
      String backPath,
      String params) {}

  public GuestDevices(XenStore store) {
    this.store = store;
  }

  /**
   * The domain of a name or a number.
   *
   * @throws DiskException if there is none
   */
  public int domain(String said) throws IOException {
    for (String number : store.children(DOMAINS)) {
      boolean isIt =
          said.equals(number)
              || store.find(DOMAINS + "/" + number + "/name").equals(Optional.of(said));
      if (isIt && number.matches("[0-9]{1,5}")) {
        return Integer.parseInt(number);
      }
    }
    throw noDomain(said);
  }

  private static DiskException noDomain(String said) {
    return new DiskException(
        Errno.ENOENT, "there is no domain '" + StoreText.shown(said) + "' in Xen's store");
  }

  private static String frontPath(int domain, DeviceNumber number) {
    return DOMAINS + "/" + domain + "/device/vbd/" + number.value();
  }

  /**
   * Makes both halves of a disk, in one transaction.
   *
   * @param type of the back end: {@link BackendDevice#VDISK}, or {@link BackendDevice#VBD3} for a
   *     disk that xentop shows
   * @param image as {@link ImageName} has it
   * @param mode {@code r} or {@code w}, with {@code !} where others may write too
   * @throws DiskException with EEXIST if the guest has a device of this number, with ENOENT if
   *     there is no such guest
   */
  public BackendDevice attach(
      int host,
      String type,
      int domain,
      DeviceNumber number,
      String image,
      String mode,
      boolean isCdrom)
      throws IOException {
    BackendDevice device = new BackendDevice(host, type, domain, number.value());
    String front = frontPath(domain, number);
    List<String> frontNodes =
        List.of(
            "backend", device.path(),
            "backend-id", Integer.toString(host),
            "state", XenbusState.INITIALISING.value(),
            "virtual-device", Integer.toString(number.value()),
            "device-type", isCdrom ? "cdrom" : "disk");
    List<String> backNodes =
        List.of(
            "frontend",
            front,
            "params",
            image,
            "frontend-id",
            Integer.toString(domain),
            "online",
            "1",
            "removable",
            "1",
            "bootable",
            "1",
            "state",
            XenbusState.INITIALISING.value(),
            "dev",
            number.name(),
            "type",
            BackendDevice.VDISK, // whose it is, whatever its place
            "mode",
            mode,
            "device-type",
            isCdrom ? "cdrom" : "disk",
            "discard-enable",
            "1");
    return store.transact(
        nodes -> {
          if (nodes.find(DOMAINS + "/" + domain).isEmpty()) {
            throw noDomain(Integer.toString(domain));
          }
          if (nodes.find(front).isPresent() || nodes.find(device.path()).isPresent()) {
            throw new DiskException(
                Errno.EEXIST, "domain " + domain + " has a device " + number.name() + " already");
          }
          make(nodes, front, List.of("n" + domain, "r" + host), frontNodes);
          make(nodes, device.path(), List.of("n" + host, "r" + domain), backNodes);
          return device;
        });
  }

  private static void make(
      StoreNodes nodes, String path, List<String> permissions, List<String> namesAndValues)
      throws IOException {
    nodes.make(path);
    nodes.setPermissions(path, permissions);
    for (int i = 0; i < namesAndValues.size(); i += 2) {
      nodes.write(path + "/" + namesAndValues.get(i), namesAndValues.get(i + 1));
    }
  }

  /**
   * Returns when the guest has connected.
   *
   * @throws DiskException with the reason if it cannot: the nodes are removed then; with EAGAIN if
   *     it has not in this time: the nodes stay
   */
  public void awaitConnection(BackendDevice device, Duration most) throws IOException {
    Optional<XenbusState> state =
        await(
            device.path() + "/state",
            most,
            now ->
                now.isEmpty()
                    || now.get() == XenbusState.CONNECTED
                    || now.get() == XenbusState.CLOSED
                    || now.get() == XenbusState.CLOSING);
    if (state.equals(Optional.of(XenbusState.CONNECTED))) {
      return;
    }
    if (state.isEmpty()
        || state.get() == XenbusState.CLOSED
        || state.get() == XenbusState.CLOSING) {
      String reason =
          store
              .find(device.path() + "/hotplug-error")
              .orElse(device + ": was closed while it was attached");
      DeviceNumber number = new DeviceNumber(device.device());
      String front = frontPath(device.domain(), number);
      remove(device.domain(), number, List.of(front, device.path()));
      throw new DiskException(Errno.EIO, reason);
    }
    throw new DiskException(
        Errno.EAGAIN,
        state.get() == XenbusState.INITIALISING
            ? device + ": no blktapd has taken it in " + most.toSeconds() + " s; is one running?"
            : device + ": the guest has not connected in " + most.toSeconds() + " s");
  }

  /**
   * Detaches a disk: its guest lets go of it first, unless that is not to be waited for.
   *
   * @throws DiskException with ENODEV if there is none, with EBUSY if the guest does not let go
   */
  public void detach(int domain, DeviceNumber number, boolean isForced, Duration most)
      throws IOException {
    String front = frontPath(domain, number);
    Optional<BackendDevice> device = backEnd(domain, number);
    if (device.isEmpty() && store.find(front).isEmpty()) {
      throw new DiskException(Errno.ENODEV, "domain " + domain + " has no device " + number.name());
    }
    if (device.isPresent() && !isForced) {
      close(device.get(), most);
    }
    List<String> halves = new ArrayList<>(List.of(front));
    device.ifPresent(back -> halves.add(back.path()));
    remove(domain, number, halves);
  }

  /** The guest may say which it is, as long as that one says so, too. */
  private Optional<BackendDevice> backEnd(int domain, DeviceNumber number) throws IOException {
    String front = frontPath(domain, number);
    String said = word(front, "backend");
    List<BackendDevice> all = BackendDevice.allOf(store, domain, number.value(), front);
    return all.stream()
        .filter(device -> device.path().equals(said))
        .findFirst()
        .or(() -> all.stream().findFirst());
  }

  private String word(String path, String name) throws IOException {
    try {
      return new NodeFolder(store, path).find(name).map(StoreText::told).orElse("");
    } catch (DiskException e) {
      return "?";
    }
  }

  private void close(BackendDevice device, Duration most) throws IOException {
    String state = device.path() + "/state";
    boolean isThere =
        store.transact(
            nodes -> {
              Optional<String> now = nodes.find(state);
              if (now.isPresent() && !now.get().equals(XenbusState.CLOSED.value())) {
                nodes.write(device.path() + "/online", "0");
                nodes.write(state, XenbusState.CLOSING.value());
              }
              return now.isPresent();
            });
    Optional<XenbusState> now =
        isThere
            ? await(state, most, seen -> seen.isEmpty() || seen.get() == XenbusState.CLOSED)
            : Optional.empty();
    if (now.isPresent() && now.get() != XenbusState.CLOSED) {
      throw new DiskException(
          Errno.EBUSY,
          device
              + ": not let go of in "
              + most.toSeconds()
              + " s; is it mounted, or no blktapd there?");
    }
  }

  private void remove(int domain, DeviceNumber number, List<String> halves) throws IOException {
    int unused =
        store.transact(
            nodes -> {
              for (String half : halves) {
                nodes.remove(half);
              }
              nodes.remove("/libxl/" + domain + "/device/vbd/" + number.value());
              return 0;
            });
  }

  /** A condition on a state, which is empty where there is none. */
  private interface Wanted {
    boolean isIt(Optional<XenbusState> state);
  }

  /** The state once it is as wanted, or after this time. */
  private Optional<XenbusState> await(String path, Duration most, Wanted wanted)
      throws IOException {
    BlockingQueue<String> changes = new LinkedBlockingQueue<>();
    long end = System.nanoTime() + most.toNanos();
    try (StoreWatch watch = store.watch(path, changes::add)) {
      while (true) {
        Optional<XenbusState> state = XenbusState.of(store.find(watch.path()));
        long left = end - System.nanoTime();
        if (wanted.isIt(state) || left <= 0) {
          return state;
        }
        String unused = changes.poll(left, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DiskException(Errno.EIO, path + ": interrupted");
    }
  }

  /** The disks of a guest. */
  public List<Line> list(int domain) throws IOException {
    List<Line> lines = new ArrayList<>();
    for (String name : store.children(DOMAINS + "/" + domain + "/device/vbd")) {
      if (name.matches("[0-9]{1,9}")) {
        DeviceNumber number = new DeviceNumber(Integer.parseInt(name));
        String front = frontPath(domain, number);
        Optional<BackendDevice> back = backEnd(domain, number);
        lines.add(
            new Line(
                number,
                back.map(device -> Integer.toString(device.host())).orElse(""),
                word(front, "state"),
                word(front, "event-channel"),
                word(front, "ring-ref"),
                back.map(BackendDevice::path).orElse(""),
                back.isPresent() ? word(back.get().path(), "params") : ""));
      }
    }
    return lines;
  }
}
