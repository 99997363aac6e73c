package io.vdisk.tools;

import io.vdisk.backend.tap.xen.DeviceModelSocket;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What {@code blktapd-dm} says where xl expects a QEMU: that it runs, and that it has nothing. xl
 * asks within a minute ({@code LIBXL_QMP_CMD_TIMEOUT} of Xen's sources is 10 s), and then no more.
 */
public final class BlktapdDm {
  private static final Duration IDLE = Duration.ofSeconds(60);

  private BlktapdDm() {}

  /**
   * Says it, and ends when nobody has asked for a minute. Operands: the number of the domain, and
   * the socket at which xl asks, if it does.
   */
  public static void main(String[] args) {
    System.exit(run(Console.system(), Arrays.asList(args), IDLE));
  }

  static int run(Console console, List<String> words, Duration idle) {
    try {
      String domain = words.get(0);
      Optional<Path> socket = words.stream().skip(1).findFirst().map(Path::of);
      try (XenStore store = XenStore.open(console.environment())) {
        if (socket.isEmpty()) {
          tell(store, domain);
        } else {
          try (DeviceModelSocket model = DeviceModelSocket.open(socket.get())) {
            tell(store, domain); // which lets xl ask
            model.serve(idle);
          }
        }
      }
      return 0;
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "blktapd-dm", e);
      return 1;
    }
  }

  private static void tell(XenStore store, String domain) throws IOException {
    store.write("/local/domain/0/device-model/" + domain + "/state", "running");
  }
}
