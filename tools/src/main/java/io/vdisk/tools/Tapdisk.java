package io.vdisk.tools;

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
import io.vdisk.backend.tap.disk.RingFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The process {@code tapdisk} of Xen's blktap: it serves disks and takes its commands from a
 * control socket. It ends after its last disk was detached; a signal to end drains, flushes and
 * closes first.
 */
public final class Tapdisk {
  private static final String USAGE = "usage: tapdisk <-u uuid> <-c control socket>";

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
                            name each file that this process may read, and its guest reads that
        --statistics DIR    where the numbers of guests of Xen are told, instead of /dev/shm
            --version       prints the version""";

  private final Console console;
  private final Startup startup;

  private Tapdisk(Console console) {
    this.console = console;
    this.startup = Startup.of(console);
  }

  /** Serves, and ends the process with an exit code. */
  public static void main(String[] args) {
    System.exit(run(Arrays.asList(args), Console.system()));
  }

  static int run(List<String> words, Console console) {
    return new Tapdisk(console).run(words);
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
              .parse(words);
      if (arguments.has("--help")) {
        console.err().println(USAGE + "\n" + HELP);
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
      console.err().println("tapdisk: " + e.sentence());
      return startup.failed(e.number());
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "tapdisk", e);
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
    Disks disks = new TapDisks(policy(arguments).withWriteLogs(logs), Optional.of(folder.path()));
    long pid = ProcessHandle.current().pid();
    Path statistics = arguments.value("--statistics").map(Path::of).orElse(RingFiles.FOLDER);
    GuestRings rings = new XenGuestRings(statistics);
    ControlServer server =
        ControlServer.open(folder, pid, generation, ControlServer.TIMEOUT, disks, rings);
    Thread closing = new Thread(server::close, "closing");
    Runtime.getRuntime().addShutdownHook(closing);
    startup.ready(server.socket().toString());
    server.run();
  }

  /** As the tapdisk of blktap 1, which blktapctrl starts. */
  private void serve(Path read, Path write, Arguments arguments)
      throws IOException, UsageException {
    Disks disks = new TapDisks(policy(arguments));
    long pid = ProcessHandle.current().pid();
    PipeServer server = PipeServer.open(read, write, pid, disks, new HostBlktap());
    Runtime.getRuntime().addShutdownHook(new Thread(server::close, "closing"));
    startup.ready("");
    server.run();
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
