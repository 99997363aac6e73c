package io.vdisk.tools;

import io.vdisk.backend.tap.control.AttachSource;
import io.vdisk.backend.tap.control.BlktapDaemon;
import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.DaemonSocket;
import io.vdisk.backend.tap.control.HostBlktap;
import io.vdisk.backend.tap.control.PidFile;
import io.vdisk.backend.tap.control.PipeDialect;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.xen.StoreAttachSource;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The daemon {@code blktapctrl} of blktap 1, and the command that sends it requests. It takes them
 * from Xen's store, too, where there is one.
 */
public final class Blktapctrl {
  private static final String PROGRAM = "blktapctrl";

  private static final String USAGE =
      """
      usage: blktapctrl [-D] [--log FILE] [--pipes DIR] [--pid-file FILE] [--compat RELEASE]
             blktapctrl [--pipes DIR] attach [-r] [--domain N] [--device N] TYPE:PATH
             blktapctrl [--pipes DIR] detach MINOR
             blktapctrl [--pipes DIR] list""";

  private static final String HELP =
      """

      Starts a tapdisk for each disk, and speaks with it over named pipes. Goes into the background.
      Disks come from Xen's store, where there is one (backend/tap), and by the commands, always.
        -D                stays in the foreground, and logs to standard error
        --log FILE        where the log goes, its tapdisks' too, instead of /var/log/blktapctrl.log
        --pipes DIR       where the pipes and the socket for requests are, instead of /var/run/tap
        --pid-file FILE   which process is the daemon, instead of /var/run/blktapctrl.pid
        --compat RELEASE  the messages of 3.0.3, 3.0.4, 3.1 or 3.2 and later (default)
        -r                read-only
        --domain N        the guest, 0 if not said
        --device N        its disk
            --version     prints the version
      The variable TAPDISK2 names the tapdisk to start, instead of the one beside blktapctrl;
      XENSTORED_PATH another socket of xenstored.
      Exit codes: 0 done, else the number of the error.""";

  private final Console console;
  private final Startup startup;
  private final SignalledEnd end;

  private Blktapctrl(Console console, Startup startup, SignalledEnd end) {
    this.console = console;
    this.startup = startup;
    this.end = end;
  }

  /** Serves or sends a request, and ends the process with an exit code. */
  public static void main(String[] args) {
    main(Arrays.asList(args), new HostBlktap());
  }

  static void main(List<String> words, BlktapDevices devices) {
    Console console = Console.system(); // with the standard error that the log lets go of
    DaemonLog.begin(PROGRAM, words, DaemonLog.byDefault(PROGRAM, console.environment()));
    SignalledEnd end = SignalledEnd.ofProcess();
    Startup startup = Startup.of(console, System.err);
    end.exit(new Blktapctrl(console, startup, end).run(words, devices));
  }

  static int run(List<String> words, Console console) {
    return run(words, console, new SignalledEnd(), new HostBlktap());
  }

  static int run(List<String> words, Console console, SignalledEnd end, BlktapDevices devices) {
    return new Blktapctrl(console, Startup.of(console), end).run(words, devices);
  }

  private int run(List<String> words, BlktapDevices devices) {
    try {
      Arguments arguments =
          new Arguments.Syntax()
              .flag("-D")
              .flag("-r")
              .flag("-h", "--help")
              .flag("--version")
              .value(DaemonLog.OPTION)
              .value("--pipes")
              .value("--pid-file")
              .value("--compat")
              .value("--domain")
              .value("--device")
              .parse(words);
      Path pipes = arguments.value("--pipes").map(Path::of).orElse(BlktapDaemon.PIPES);
      if (arguments.has("--help")) {
        console.out().println(USAGE + "\n" + HELP);
      } else if (arguments.has("--version")) {
        console.out().println("blktapctrl " + Help.version());
      } else if (arguments.operands().isEmpty()) {
        serve(pipes, arguments, devices);
      } else {
        console.out().print(DaemonSocket.ask(pipes, request(arguments)));
      }
      return 0;
    } catch (UsageException e) {
      console.err().println("blktapctrl: " + e.getMessage() + "\n" + USAGE);
      return startup.failed(Errno.EINVAL.number());
    } catch (DiskException e) {
      Failures.print(startup.err(), PROGRAM, e);
      return startup.failed(e.number());
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(startup.err(), PROGRAM, e);
      return startup.failed(Errno.of(e).number());
    }
  }

  private static String request(Arguments arguments) throws UsageException {
    List<String> operands = arguments.operands();
    String command = operands.get(0);
    if (command.equals("list") && operands.size() == 1) {
      return "list";
    }
    if (command.equals("detach") && operands.size() == 2) {
      return "detach " + operands.get(1);
    }
    if (command.equals("attach") && operands.size() == 2) {
      return ("attach " + (arguments.has("-r") ? "r" : "w"))
          + (" " + arguments.value("--domain").orElse("0"))
          + (" " + arguments.value("--device").orElse("0"))
          + (" " + DiskName.absolute(operands.get(1)));
    }
    throw new UsageException("unknown or incomplete command '" + command + "'");
  }

  @SuppressWarnings("try") // the file must be held, that is all
  private void serve(Path pipes, Arguments arguments, BlktapDevices devices)
      throws IOException, UsageException {
    PipeDialect dialect = dialect(arguments);
    devices.check();
    BlktapDaemon.Spawner spawner = spawner(arguments);
    Path pidFile = arguments.value("--pid-file").map(Path::of).orElse(PidFile.BLKTAPCTRL);
    try (PidFile unused = PidFile.take(pidFile, ProcessHandle.current().pid())) {
      Files.createDirectories(pipes);
      DaemonSocket socket = DaemonSocket.open(pipes, BlktapDaemon.TIMEOUT);
      try (BlktapDaemon daemon =
          new BlktapDaemon(pipes, dialect, BlktapDaemon.TIMEOUT, devices, spawner)) {
        end.then(() -> closeQuietly(socket));
        serve(socket, daemon, pipes);
      }
    }
  }

  private BlktapDaemon.Spawner spawner(Arguments arguments) throws DiskException {
    TapdiskProgram program = TapdiskProgram.of(console.environment());
    Optional<String> log =
        arguments
            .value(DaemonLog.OPTION)
            .or(() -> DaemonLog.byDefault(PROGRAM, console.environment()));
    return (commands, answers) -> program.serve(commands, answers, log);
  }

  /** Both sources beside each other, or the socket alone. */
  private void serve(DaemonSocket socket, BlktapDaemon daemon, Path pipes) throws IOException {
    String commands = "commands at " + DaemonSocket.path(pipes);
    XenStore store;
    try {
      store = XenStore.open(console.environment());
    } catch (IOException e) {
      startup.ready("blktapctrl serves " + commands + ", and no store: " + Failures.sentence(e));
      socket.run(daemon);
      return;
    }
    try (store;
        AttachSource source = StoreAttachSource.of(store)) {
      Thread thread = new Thread(() -> follow(source, daemon), "requests of Xen's store");
      thread.setDaemon(true);
      thread.start();
      startup.ready("blktapctrl serves Xen's store, and " + commands);
      socket.run(daemon);
    }
  }

  /** The end of the store is none of the daemon: only commands reach its disks then. */
  private void follow(AttachSource source, BlktapDaemon daemon) {
    try {
      source.run(daemon);
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(startup.err(), PROGRAM, e);
    }
  }

  private static void closeQuietly(DaemonSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // The process ends, and the socket with it.
      assert e != null;
    }
  }

  private static PipeDialect dialect(Arguments arguments) throws UsageException {
    String release = arguments.value("--compat").orElse("3.4");
    return PipeDialect.of(release)
        .orElseThrow(
            () ->
                new UsageException(
                    "--compat is 3.0.3, 3.0.4, 3.1, 3.2, 3.3, 3.4, 4.0, 4.1 or 4.2, not "
                        + release));
  }
}
