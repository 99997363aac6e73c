package io.vdisk.backend.tap.xen;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenRequest;
import java.io.IOException;

/**
 * What a toolstack says of a device in the back end's nodes: {@code frontend}, {@code frontend-id},
 * {@code params}, {@code mode}, {@code device-type}, {@code discard-enable}. Immutable.
 *
 * @param frontend the path of the front end's nodes
 * @param params the image, as the toolstack writes it; may be empty
 * @param mode {@code r} or {@code w}, with a {@code !} where others may write too
 * @param isCdrom whether the guest is told that it is a CD-ROM
 * @param mayDiscard whether the guest may say that it does not need blocks any longer
 */
record BackendNodes(
    String frontend, String params, String mode, boolean isCdrom, boolean mayDiscard) {

  /**
   * Reads them.
   *
   * @throws DiskException if one is missing or makes no sense
   */
  static BackendNodes read(StoreNodes store, BackendDevice device) throws IOException {
    NodeFolder nodes = new NodeFolder(store, device.path());
    long domain = nodes.neededNumber("frontend-id", 0, 0xffff);
    if (domain != device.domain()) {
      throw trouble(device.path() + "/frontend-id is " + domain + ", and its place says another");
    }
    String frontend = nodes.need("frontend");
    if (!StoreText.isPath(frontend) || !frontend.startsWith("/local/domain/" + domain + "/")) {
      throw trouble(
          device.path() + "/frontend is '" + StoreText.shown(frontend) + "', no path of its guest");
    }
    String mode = nodes.need("mode");
    if (!mode.matches("[rw]!?")) {
      throw trouble(device.path() + "/mode is '" + StoreText.shown(mode) + "', not r, w, r! or w!");
    }
    return new BackendNodes(
        frontend,
        nodes.find("params").orElse(""),
        mode,
        nodes.find("device-type").orElse("disk").equals("cdrom"),
        !nodes.find("discard-enable").orElse("1").equals("0"));
  }

  /** Whether the guest may not write. */
  boolean isReadOnly() {
    return mode.startsWith("r") || isCdrom;
  }

  /**
   * What is to be opened.
   *
   * @throws DiskException if that makes no sense, or the drive is empty
   */
  OpenRequest request() throws DiskException {
    if (params.isEmpty() || params.endsWith(":")) {
      throw trouble("there is no image in the drive: params is '" + StoreText.shown(params) + "'");
    }
    OpenRequest request = OpenRequest.of(ImageName.of(params));
    request = isReadOnly() ? request.withFlag(OpenRequest.READ_ONLY) : request;
    return mode.endsWith("!") ? request.withFlag(OpenRequest.SHARED) : request;
  }

  private static DiskException trouble(String sentence) {
    return new DiskException(Errno.EINVAL, sentence);
  }
}
