package io.vdisk.tools;

import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.ControlServer;
import io.vdisk.backend.tap.control.Disks;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.control.GuestRings;
import io.vdisk.backend.tap.control.HostBlktap;
import io.vdisk.backend.tap.control.PipeServer;
import io.vdisk.backend.tap.control.TapDisks;
import io.vdisk.backend.tap.control.XenGuestRings;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.DiskPolicy;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.LastClosings;
import io.vdisk.backend.tap.disk.RingFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * The process {@code tapdisk} of Xen's blktap: it serves disks and takes its commands from a
 * control socket. It ends after its last disk was detached; a signal to end drains, flushes and
 * closes first.
 */
public final class Tapdisk {
  /** The variable of the environment that names a file for the log. */
  static final String LOG = "VDISK_TAP_LOG";

  /**
   * What it finds on its host; tests have their own.
   *
   * @param disks made for a policy, and a folder of sockets
   * @param devices of blktap 1
   * @param patience for how long disks are waited for at the end
   */
  record Surroundings(
      BiFunction<DiskPolicy, Optional<Path>, Disks> disks,
      BlktapDevices devices,
      Duration patience) {
    Surroundings() {
      this(TapDisks::new, new HostBlktap(), LastClosings.PATIENCE);
    }
  }

  private static final String PROGRAM = "tapdisk";

  private static final String USAGE =
      """
      usage: tapdisk [-D] [OPTIONS]
             tapdisk [-D] [OPTIONS] <READ fifo> <WRITE fifo>""";

  /** What the tapdisk of blktap 1 printed. */
  private static final String PIPES_USAGE =
      "blktap-utils: v1.0.0\nusage: tapdisk <READ fifo> <WRITE fifo>";

  private static final int PIPES_USAGE_ERROR = 255;

  private static final String HELP =
      """

      Serves disks; tap-ctl commands it. Prints its control socket and goes into the background.
      With two pipes it is the tapdisk of blktap 1: blktapctrl commands it.
        -D                  stays in the foreground
        --folder DIR        where sockets and minors are, instead of /run/blktap-control;
                            the variable VDISK_TAP_FOLDER says the same
        --compat RELEASE    the messages of Xen 4.1 or 4.2, instead of today's;
                            the variable VDISK_TAP_COMPAT says the same
        --backing-policy P  which files images may name: any (default), within=DIR,
                            same-directory or deny. Under "any" an image that a stranger made can
                            name each file that this process may read, and its guest reads that;
                            the variable VDISK_BACKING_POLICY says the same
        --log FILE          where the log goes, instead of standard error, which is let go of in
                            the background; the variable VDISK_TAP_LOG says the same
        --statistics DIR    where the numbers of guests of Xen are told, instead of /dev/shm
            --version       prints the version""";

  private final Console console;
  private final Startup startup;
  private final SignalledEnd end;
  private final Surroundings host;

  private Tapdisk(Console console, Startup startup, SignalledEnd end, Surroundings host) {
    this.console = console;
    this.startup = startup;
    this.end = end;
    this.host = host;
  }

  /** Serves, and ends the process with an exit code. */
  public static void main(String[] args) {
    main(Arrays.asList(args), new Surroundings());
  }

  static void main(List<String> words, Surroundings host) {
    Console console = Console.system(); // with the standard error that the log lets go of
    DaemonLog.begin(PROGRAM, words, Optional.ofNullable(console.environment().get(LOG)));
    SignalledEnd end = SignalledEnd.ofProcess();
    Startup startup = Startup.of(console, System.err);
    end.exit(new Tapdisk(console, startup, end, host).run(words));
  }

  static int run(List<String> words, Console console) {
    Startup startup = Startup.of(console);
    return new Tapdisk(console, startup, new SignalledEnd(), new Surroundings()).run(words);
  }

  private int run(List<String> words) {
    try {
      Arguments arguments =
          new Arguments.Syntax()
              .flag("-D")
              .flag("-h", "--help")
              .flag("--version")
              .value("--folder")
              .value("--compat")
              .value("--backing-policy")
              .value("--statistics")
              .value(DaemonLog.OPTION)
              .parse(words);
      if (arguments.has("--help")) {
        console.out().println(USAGE + "\n" + HELP);
        return 0;
      }
      if (arguments.has("--version")) {
        console.out().println("tapdisk " + Help.version());
        return 0;
      }
      List<String> pipes = arguments.operands();
      if (pipes.isEmpty()) {
        serve(arguments);
      } else if (pipes.size() == 2) {
        serve(Path.of(pipes.get(0)), Path.of(pipes.get(1)), arguments);
      } else {
        console.err().println(PIPES_USAGE);
        return startup.failed(PIPES_USAGE_ERROR);
      }
      return 0;
    } catch (UsageException e) {
      console.err().println("tapdisk: " + e.getMessage() + "\n" + USAGE);
      return startup.failed(Errno.EINVAL.number());
    } catch (DiskException e) {
      Failures.printAll(startup.err(), PROGRAM, e);
      return startup.failed(e.number());
    } catch (IOException | RuntimeException | Error e) {
      Failures.printAll(startup.err(), PROGRAM, e);
      return startup.failed(Errno.of(e).number());
    }
  }

  private void serve(Arguments arguments) throws IOException, UsageException {
    ControlFolder folder =
        arguments
            .value("--folder")
            .map(name -> new ControlFolder(Path.of(name)))
            .orElseGet(() -> ControlFolder.of(console.environment()));
    Generation generation = generation(arguments);
    Path logs = folder.path().resolve("writes");
    DiskPolicy policy = policy(arguments).withWriteLogs(logs);
    Disks disks = host.disks().apply(policy, Optional.of(folder.path()));
    long pid = ProcessHandle.current().pid();
    Path statistics = arguments.value("--statistics").map(Path::of).orElse(RingFiles.FOLDER);
    GuestRings rings = new XenGuestRings(statistics);
    ControlServer server =
        ControlServer.open(folder, pid, generation, ControlServer.TIMEOUT, disks, rings);
    end.then(server::close);
    startup.ready(server.socket().toString());
    server.run(host.patience());
  }

  /** As the tapdisk of blktap 1, which blktapctrl starts. */
  private void serve(Path read, Path write, Arguments arguments)
      throws IOException, UsageException {
    Disks disks = host.disks().apply(policy(arguments), Optional.empty());
    long pid = ProcessHandle.current().pid();
    PipeServer server = PipeServer.open(read, write, pid, disks, host.devices());
    end.then(server::close);
    startup.ready("");
    server.run(host.patience());
  }

  private Generation generation(Arguments arguments) throws UsageException {
    String release =
        arguments
            .value("--compat")
            .orElse(console.environment().getOrDefault(TapCtl.COMPATIBLE, "today"));
    return Generation.of(release)
        .filter(one -> one != Generation.XEN_4_0)
        .orElseThrow(() -> new UsageException("--compat is 4.1, 4.2 or today, not " + release));
  }

  private DiskPolicy policy(Arguments arguments) throws UsageException {
    String said =
        arguments
            .value("--backing-policy")
            .orElse(console.environment().getOrDefault(Opening.VARIABLE, "any"));
    return DiskPolicy.DEFAULT.withReferences(Opening.policy(said));
  }
}
