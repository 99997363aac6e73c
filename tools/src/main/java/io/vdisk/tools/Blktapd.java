package io.vdisk.tools;

import io.vdisk.backend.tap.GrantTransport;
import io.vdisk.backend.tap.control.ErrorNumber;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.xen.BackendDevice;
import io.vdisk.backend.tap.xen.BackendWatcher;
import io.vdisk.backend.tap.xen.DeviceLocks;
import io.vdisk.backend.tap.xen.DeviceServers;
import io.vdisk.backend.tap.xen.RingConnector;
import io.vdisk.backend.tap.xen.XenDisks;
import io.vdisk.backend.tap.xen.XenHost;
import io.vdisk.backend.tap.xen.XenOptions;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The daemon {@code blktapd}: serves the disks of Xen's guests that it finds in Xen's store. A
 * signal to end drains, flushes and closes; guests wait in their rings for the next one.
 */
public final class Blktapd {
  private static final String USAGE = "usage: blktapd [-D] [OPTIONS]";

  private static final String HELP =
      """

      Serves the disks of Xen's guests that xl (backendtype=qdisk) and block-attach make. Goes into
      the background.
        -D                  stays in the foreground, and logs to standard error
        --log FILE          where the log goes, instead of /var/log/blktapd.log
        --types T[,T]       the types of back end to serve, instead of vdisk,qdisk
        --queues N          rings that a guest may have for one disk (default: the processors, 4 at
                            most)
        --folder DIR        where locks and unflushed writes are kept, instead of /run/blktapd; in
                            memory
        --backing-policy P  which files images may name: any (default), within=DIR,
                            same-directory or deny. Under "any" an image that a stranger made can
                            name each file that this process may read, and its guest reads that
            --version       prints the version
      The variable XENSTORED_PATH names another socket of xenstored.
      Exit codes: 0 ended by a signal, else the number of the error.""";

  private static final String TYPES = BackendDevice.VDISK + "," + BackendDevice.QDISK;

  /** How often is counted what was asked of the disks. */
  private static final long TICK_SECONDS = 2;

  private final Console console;
  private final Startup startup;
  private final RingConnector connector;

  private Blktapd(Console console, RingConnector connector) {
    this.console = console;
    this.startup = Startup.of(console);
    this.connector = connector;
  }

  /** Serves, and ends the process with an exit code. */
  public static void main(String[] args) {
    List<String> words = Arrays.asList(args);
    Console console = Console.system(); // with the standard error that the log lets go of
    DaemonLog.begin(words);
    System.exit(run(words, console, GrantTransport::connect));
  }

  static int run(List<String> words, Console console, RingConnector connector) {
    return new Blktapd(console, connector).run(words);
  }

  private int run(List<String> words) {
    try {
      Arguments arguments =
          new Arguments.Syntax()
              .flag("-D")
              .flag("-h", "--help")
              .flag("--version")
              .value("--log")
              .value("--types")
              .value("--queues")
              .value("--folder")
              .value("--backing-policy")
              .parse(words);
      if (arguments.has("--help")) {
        console.out().println(USAGE + "\n" + HELP);
      } else if (arguments.has("--version")) {
        console.out().println("blktapd " + Help.version());
      } else {
        List<String> unused = arguments.operands(0, "no operands");
        serve(arguments);
      }
      return 0;
    } catch (UsageException e) {
      console.err().println("blktapd: " + e.getMessage() + "\n" + USAGE);
      return startup.failed(ErrorNumber.EINVAL.number());
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "blktapd", e);
      return startup.failed(Errno.of(e));
    }
  }

  private void serve(Arguments arguments) throws IOException, UsageException {
    XenOptions options = options(arguments);
    List<String> types = types(arguments);
    try (XenStore store = XenStore.open(console.environment());
        DeviceLocks locks = DeviceLocks.open(options.folder());
        XenDisks disks = new XenDisks(new XenHost(store, options, connector, locks))) {
      int host = store.ownDomain();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(disks, store), "closing"));
      // Not closed: its watches end with the store.
      BackendWatcher unused = BackendWatcher.begin(store, host, types, disks);
      startup.ready("blktapd serves " + String.join(", ", types));
      run(store, disks);
    }
  }

  private static void end(XenDisks disks, XenStore store) {
    disks.close();
    store.close();
  }

  /** Returns when the store is closed, and fails when it goes. */
  private static void run(XenStore store, DeviceServers servers) throws IOException {
    while (true) {
      try {
        throw store.ended().get(TICK_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        servers.tick();
      } catch (InterruptedException | ExecutionException | CancellationException e) {
        throw new AssertionError("nobody interrupts, and the end is a value", e);
      }
    }
  }

  private XenOptions options(Arguments arguments) throws UsageException {
    String policy =
        arguments
            .value("--backing-policy")
            .orElse(console.environment().getOrDefault(Opening.VARIABLE, "any"));
    DiskPolicy disks = DiskPolicy.DEFAULT.withReferences(Opening.policy(policy));
    Path folder = arguments.value("--folder").map(Path::of).orElse(XenOptions.FOLDER);
    XenOptions options = XenOptions.of(disks, folder);
    String queues = arguments.value("--queues").orElse(Integer.toString(options.mostQueues()));
    if (!queues.matches("[1-9][0-9]?") || Integer.parseInt(queues) > XenOptions.MOST_QUEUES) {
      throw new UsageException("--queues is 1 to " + XenOptions.MOST_QUEUES + ", not " + queues);
    }
    return new XenOptions(disks, folder, Integer.parseInt(queues));
  }

  private static List<String> types(Arguments arguments) throws UsageException {
    List<String> types = List.of(arguments.value("--types").orElse(TYPES).split(",", -1));
    for (String type : types) {
      if (!BackendDevice.isType(type)) {
        throw new UsageException("'" + type + "' is no type of a back end");
      }
    }
    return types;
  }
}
