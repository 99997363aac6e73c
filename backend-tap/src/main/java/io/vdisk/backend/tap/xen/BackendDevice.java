package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A device that a back end of this domain serves, by its place in the store. Immutable.
 *
 * @param host the domain of the back end, 0 to 65,535
 * @param type of the back end: {@code vdisk}, {@code qdisk} ...
 * @param domain the guest, 0 to 65,535
 * @param device the guest's number of it, see {@link DeviceNumber}
 */
public record BackendDevice(int host, String type, int domain, int device) {
  /** The type whose nodes our own commands write. */
  public static final String VDISK = "vdisk";

  /** The type that xl gives to what QEMU would serve. */
  public static final String QDISK = "qdisk";

  /**
   * The type of tapback's devices, the only one for which xentop reads files (xenstat_linux.c, from
   * Xen 4.19 on).
   */
  public static final String VBD3 = "vbd3";

  private static final String DOMAINS = "/local/domain";

  /** DOMID_FIRST_RESERVED is smaller: no guest has a greater one. */
  private static final int MOST_DOMAIN = 0xffff;

  private static final Pattern TYPE = Pattern.compile("[a-z][a-z0-9_]{0,15}");

  private static final Pattern PATH =
      Pattern.compile(
          "/local/domain/([0-9]{1,5})/backend/("
              + TYPE.pattern()
              + ")/([0-9]{1,5})/([0-9]{1,9})(?:/.*)?");

  /** Checks the ranges. */
  public BackendDevice {
    if (!isType(type)) {
      throw new IllegalArgumentException("'" + type + "' is no type of a back end");
    }
    if (host < 0 || host > MOST_DOMAIN || domain < 0 || domain > MOST_DOMAIN || device < 0) {
      throw new IllegalArgumentException(
          "back end in " + host + " for domain " + domain + ", device " + device);
    }
  }

  /** Whether a type of back end may have this name. */
  public static boolean isType(String type) {
    return TYPE.matcher(type).matches();
  }

  /** The device at this path or above it; empty if there is none. */
  public static Optional<BackendDevice> of(String path) {
    Matcher matcher = PATH.matcher(path);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int host = Integer.parseInt(matcher.group(1));
    int domain = Integer.parseInt(matcher.group(3));
    if (host > MOST_DOMAIN || domain > MOST_DOMAIN) {
      return Optional.empty();
    }
    return Optional.of(
        new BackendDevice(host, matcher.group(2), domain, Integer.parseInt(matcher.group(4))));
  }

  /** Whether it is {@link GuestDevices} that writes such nodes. */
  boolean isMadeByBlockAttach() {
    return type.equals(VDISK) || type.equals(VBD3);
  }

  /** Whether xentop looks for files that tell what was asked. */
  boolean isShownByXentop() {
    return type.equals(VBD3);
  }

  /** Where all devices of a type are. */
  static String typePath(int host, String type) {
    return "/local/domain/" + host + "/backend/" + type;
  }

  /** All devices of a type that are in the store; what else is there is left out. */
  static List<BackendDevice> all(StoreNodes store, int host, String type) throws IOException {
    List<BackendDevice> all = new ArrayList<>();
    String path = typePath(host, type);
    for (String domain : store.children(path)) {
      for (String device : store.children(path + "/" + domain)) {
        of(path + "/" + domain + "/" + device).ifPresent(all::add);
      }
    }
    return all;
  }

  /**
   * All back ends, in any domain and of any type, that say that they serve a guest's device.
   *
   * @param frontend where the guest's half is
   */
  static List<BackendDevice> allOf(StoreNodes store, int domain, int device, String frontend)
      throws IOException {
    List<BackendDevice> all = new ArrayList<>();
    for (String host : store.children(DOMAINS)) {
      String types = DOMAINS + "/" + host + "/backend";
      for (String type : store.children(types)) {
        Optional<BackendDevice> one = of(types + "/" + type + "/" + domain + "/" + device);
        if (one.isPresent() && one.get().serves(store, frontend)) {
          all.add(one.get());
        }
      }
    }
    return all;
  }

  private boolean serves(StoreNodes store, String frontend) throws IOException {
    try {
      return new NodeFolder(store, path()).find("frontend").equals(Optional.of(frontend));
    } catch (DiskException e) {
      return false; // what is no text is no path
    }
  }

  /** Where its nodes are. */
  public String path() {
    return typePath(host, type) + "/" + domain + "/" + device;
  }

  /** Where it is told what went wrong, as the kernel's back ends do. */
  String errorPath() {
    return "/local/domain/" + host + "/error/backend/" + type + "/" + domain + "/" + device;
  }

  /** Begins the names of its files, which no other device has. */
  public String fileName() {
    return type + "-" + domain + "-" + device;
  }

  /** The guest and its device, for the log. */
  @Override
  public String toString() {
    return "domain " + domain + ", device " + device + " (" + type + ")";
  }
}
