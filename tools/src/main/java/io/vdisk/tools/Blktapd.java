package io.vdisk.tools;

import io.vdisk.backend.tap.GrantTransport;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.RingFiles;
import io.vdisk.backend.tap.xen.BackendDevice;
import io.vdisk.backend.tap.xen.BackendWatcher;
import io.vdisk.backend.tap.xen.DeviceLocks;
import io.vdisk.backend.tap.xen.DeviceServers;
import io.vdisk.backend.tap.xen.DiskProcesses;
import io.vdisk.backend.tap.xen.OneDevice;
import io.vdisk.backend.tap.xen.RingConnector;
import io.vdisk.backend.tap.xen.StoreException;
import io.vdisk.backend.tap.xen.XenDisks;
import io.vdisk.backend.tap.xen.XenHost;
import io.vdisk.backend.tap.xen.XenOptions;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The daemon {@code blktapd}: serves the disks of Xen's guests that it finds in Xen's store. A
 * signal to end drains, flushes and closes; guests wait in their rings for the next one.
 */
public final class Blktapd {
  private static final String PROGRAM = "blktapd";

  private static final String USAGE = "usage: blktapd [-D] [OPTIONS]";

  private static final String HELP =
      """

      Serves the disks of Xen's guests that xl (backendtype=qdisk) and block-attach make. Goes into
      the background.
        -D                  stays in the foreground, and logs to standard error
        --together          serves all disks in one process, instead of one for each
        --log FILE          where the log goes, instead of /var/log/blktapd.log
        --types T[,T]       the types of back end to serve, instead of vdisk,qdisk,vbd3
        --queues N          rings that a guest may have for one disk (default: the processors, 4 at
                            most)
        --folder DIR        where locks and unflushed writes are kept, instead of /run/blktapd; in
                            memory
        --statistics DIR    where xentop reads what disks of type vbd3 were asked, instead of
                            /dev/shm
        --backing-policy P  which files images may name: any (default), within=DIR,
                            same-directory or deny. Under "any" an image that a stranger made can
                            name each file that this process may read, and its guest reads that;
                            the variable VDISK_BACKING_POLICY says the same
            --version       prints the version
        --serve PATH        serves one device, and ends with it: what it starts for each
      The variable XENSTORED_PATH names another socket of xenstored.
      Exit codes: 0 ended by a signal, else the number of the error.""";

  private static final String TYPES =
      String.join(",", BackendDevice.VDISK, BackendDevice.QDISK, BackendDevice.VBD3);

  /** The type of Linux' xen-blkback, which would take the same devices. */
  private static final String KERNEL = "vbd";

  /** How often is counted what was asked of the disks. */
  private static final long TICK_SECONDS = 2;

  private final Console console;
  private final Startup startup;
  private final SignalledEnd end;
  private final RingConnector connector;

  private Blktapd(Console console, Startup startup, SignalledEnd end, RingConnector connector) {
    this.console = console;
    this.startup = startup;
    this.end = end;
    this.connector = connector;
  }

  /** Serves, and ends the process with an exit code. */
  public static void main(String[] args) {
    List<String> words = Arrays.asList(args);
    Console console = Console.system(); // with the standard error that the log lets go of
    DaemonLog.begin(PROGRAM, words, DaemonLog.byDefault(PROGRAM, console.environment()));
    SignalledEnd end = SignalledEnd.ofProcess();
    Startup startup = Startup.of(console, System.err);
    end.exit(new Blktapd(console, startup, end, GrantTransport::connect).run(words));
  }

  static int run(List<String> words, Console console, SignalledEnd end, RingConnector connector) {
    return new Blktapd(console, Startup.of(console), end, connector).run(words);
  }

  private int run(List<String> words) {
    try {
      Arguments arguments =
          new Arguments.Syntax()
              .flag("-D")
              .flag("-h", "--help")
              .flag("--version")
              .flag("--together")
              .value("--serve")
              .value(DaemonLog.OPTION)
              .value("--types")
              .value("--queues")
              .value("--folder")
              .value("--statistics")
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
      return startup.failed(Errno.EINVAL.number());
    } catch (StoreException e) {
      Failures.printAll(startup.err(), PROGRAM, e);
      return startup.failed(e.number().number());
    } catch (IOException | RuntimeException | Error e) {
      Failures.printAll(startup.err(), PROGRAM, e);
      return startup.failed(Errno.of(e).number());
    }
  }

  private void serve(Arguments arguments) throws IOException, UsageException {
    XenOptions options = options(arguments);
    List<String> types = types(arguments);
    Path statistics = arguments.value("--statistics").map(Path::of).orElse(RingFiles.FOLDER);
    try (XenStore store = XenStore.open(console.environment());
        DeviceLocks locks = DeviceLocks.open(options.folder());
        RingFiles files = new RingFiles(statistics, ProcessHandle.current().pid());
        XenDisks disks = new XenDisks(new XenHost(store, options, connector, locks, files))) {
      if (arguments.has("--serve")) {
        serve(device(arguments), store, disks);
      } else {
        boolean isTogether = arguments.has("--together");
        serve(types, store, isTogether ? disks : processes(arguments, store, locks, disks));
      }
    }
  }

  /** All devices of some types. */
  private void serve(List<String> types, XenStore store, DeviceServers servers) throws IOException {
    CompletableFuture<Object> over = CompletableFuture.anyOf(store.ended(), end.asked());
    try (servers) {
      // Not closed: its watches end with the store.
      BackendWatcher unused = BackendWatcher.begin(store, store.ownDomain(), types, servers);
      startup.ready("blktapd serves " + String.join(", ", types));
      while (!hasEnded(over)) {
        servers.tick();
      }
    }
  }

  /** One device, until it has gone. */
  private void serve(BackendDevice device, XenStore store, XenDisks disks) throws IOException {
    CompletableFuture<Object> over = CompletableFuture.anyOf(store.ended(), end.asked());
    disks.look(device);
    OneDevice.watch(store, device, disks);
    startup.ready("blktapd serves " + device);
    while (!disks.isEmpty() && !hasEnded(over)) {
      disks.tick();
    }
  }

  private static BackendDevice device(Arguments arguments) throws UsageException {
    String path = arguments.value("--serve").orElse("");
    return BackendDevice.of(path)
        .filter(device -> device.path().equals(path))
        .orElseThrow(() -> new UsageException("'" + path + "' is no path of a back end"));
  }

  private DeviceServers processes(
      Arguments arguments, XenStore store, DeviceLocks locks, XenDisks disks)
      throws UsageException {
    String beside = console.environment().getOrDefault("VDISK_BIN", "");
    if (beside.isEmpty()) {
      throw new UsageException("no launcher tells where blktapd is: --together needs none");
    }
    List<String> command = new ArrayList<>(List.of(beside + "/blktapd", "-D"));
    for (String option : List.of("--queues", "--folder", "--statistics", "--backing-policy")) {
      arguments.value(option).ifPresent(value -> command.addAll(List.of(option, value)));
    }
    arguments
        .value(DaemonLog.OPTION)
        .or(() -> DaemonLog.byDefault(PROGRAM, console.environment()))
        .ifPresent(file -> command.addAll(List.of(DaemonLog.OPTION, file)));
    return new DiskProcesses(store, locks, disks, device -> start(command, device));
  }

  private static Process start(List<String> command, BackendDevice device) throws IOException {
    List<String> words = new ArrayList<>(command);
    words.addAll(List.of("--serve", device.path()));
    ProcessBuilder builder = new ProcessBuilder(words).inheritIO();
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().remove(Startup.VARIABLE); // it is this process's launcher that waits
    return builder.start();
  }

  /**
   * Waits for the next tick; true after a signal to end.
   *
   * @param over why all is over, once it is
   * @throws IOException when the store goes
   */
  private static boolean hasEnded(CompletableFuture<Object> over) throws IOException {
    try {
      if (over.get(TICK_SECONDS, TimeUnit.SECONDS) instanceof IOException reason) {
        throw reason;
      }
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError("nobody interrupts, and the end is a value", e);
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
      if (type.equals(KERNEL)) {
        throw new UsageException("'" + type + "' is what the kernel serves");
      }
    }
    return types;
  }
}
