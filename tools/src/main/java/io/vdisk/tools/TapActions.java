package io.vdisk.tools;

import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.control.AnsweredException;
import io.vdisk.backend.tap.control.ControlClient;
import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.control.Minors;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.disk.OpenRequest;
import io.vdisk.backend.tap.disk.ResumeRequest;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Does what the commands of tap-ctl say, and prints what they print. */
final class TapActions {
  private final Console console;
  private final ControlFolder folder;
  private final String compatible;
  private final Generation generation;
  private final ControlClient client;
  private final Minors minors;

  TapActions(Console console, ControlFolder folder, String compatible, Generation generation) {
    this.console = console;
    this.folder = folder;
    this.compatible = compatible;
    this.generation = generation;
    this.client = new ControlClient(folder, generation);
    this.minors = new Minors(folder);
  }

  private PrintStream out() {
    return console.out();
  }

  private boolean isOld() {
    return generation != Generation.TODAY;
  }

  void list(ShortOptions options) throws IOException, UsageException {
    OptionalInt minor = options.number('m');
    OptionalInt pid = options.number('p');
    Optional<String> type = options.value('t');
    Optional<String> file = options.value('f');
    List<TapList.Line> lines =
        pid.isPresent() ? TapList.of(client, pid.getAsInt()) : TapList.of(client, folder);
    for (TapList.Line line : lines) {
      if ((minor.isEmpty() || line.minor().equals(minor))
          && (type.isEmpty() || line.type().equals(type))
          && (file.isEmpty() || line.path().equals(file))) {
        out().println(console.terminal() ? line.row(generation) : line.pairs(generation));
      }
    }
  }

  void allocate(ShortOptions options) throws DiskException {
    out().println(deviceName(minors.allocate(), options));
  }

  /** What stands for a minor: today its file, in Xen 4.1 the node of its block device. */
  private String deviceName(Path marker, ShortOptions options) {
    String node = "/dev/xen/blktap-2/tapdev" + Minors.number(marker);
    return isOld() ? options.value('d').orElse(node) : marker.toString();
  }

  void free(ShortOptions options) throws DiskException, UsageException {
    minors.free(required(options, 'm'));
  }

  void spawn() throws DiskException {
    int pid = start();
    boolean isSentence = isOld() || console.terminal();
    out().println(isSentence ? "tapdisk spawned with pid " + pid : Integer.toString(pid));
  }

  private int start() throws DiskException {
    return TapdiskProgram.of(console.environment()).spawn(folder, compatible);
  }

  void attach(ShortOptions options) throws DiskException, UsageException {
    client.attach(required(options, 'p'), required(options, 'm'));
  }

  void detach(ShortOptions options) throws DiskException, UsageException {
    detach(required(options, 'p'), required(options, 'm'));
  }

  private void detach(int pid, int minor) throws DiskException {
    try {
      client.detach(pid, minor);
    } catch (DiskException e) {
      if (!isOld() && e instanceof AnsweredException) {
        out().println("got unexpected result 'error' from " + pid);
      }
      throw e;
    }
  }

  void open(ShortOptions options) throws IOException, UsageException {
    int pid = required(options, 'p');
    int minor = required(options, 'm');
    client.open(pid, minor, TapOpening.of(options, console.in()));
  }

  /** Allocates, spawns, attaches and opens; what fails takes back what went before. */
  void create(ShortOptions options) throws IOException, UsageException {
    OpenRequest opening = TapOpening.of(options, console.in());
    Path marker = minors.allocate();
    int minor = Minors.number(marker);
    List<Undo> undone = new ArrayList<>(List.of(() -> minors.free(minor)));
    try {
      int pid = start();
      undone.add(0, () -> client.exit(pid));
      client.attach(pid, minor);
      undone.set(0, () -> client.detach(pid, minor));
      client.open(pid, minor, opening);
    } catch (DiskException e) {
      for (Undo undo : undone) {
        try {
          undo.run();
        } catch (DiskException another) {
          e.addSuppressed(another);
        }
      }
      throw e;
    }
    out().println(deviceName(marker, options));
  }

  private interface Undo {
    void run() throws DiskException;
  }

  void destroy(ShortOptions options) throws DiskException, UsageException {
    int pid = required(options, 'p');
    int minor = required(options, 'm');
    client.close(pid, minor, false, timeout(options));
    detach(pid, minor);
    minors.free(minor);
  }

  void close(ShortOptions options) throws DiskException, UsageException {
    int pid = required(options, 'p');
    client.close(pid, required(options, 'm'), options.has('f'), timeout(options));
  }

  void pause(ShortOptions options) throws DiskException, UsageException {
    client.pause(required(options, 'p'), required(options, 'm'), timeout(options));
  }

  void unpause(ShortOptions options) throws DiskException, UsageException {
    ResumeRequest resuming =
        new ResumeRequest(
            options.value('a').map(DiskName::absolute),
            options.value('c').map(name -> Path.of(name).toAbsolutePath()),
            options.value('2').map(DiskName::absolute));
    client.resume(required(options, 'p'), required(options, 'm'), resuming);
  }

  void stats(ShortOptions options) throws DiskException, UsageException {
    int pid = required(options, 'p');
    out().println(client.statistics(pid, required(options, 'm')) + "\n");
  }

  void limit(ShortOptions options) throws DiskException, UsageException {
    int pid = required(options, 'p');
    int minor = required(options, 'm');
    long[] bytes = rate(options.value('b').orElse("0"));
    long[] requests = rate(options.value('i').orElse("0"));
    client.limit(pid, minor, new RateLimit.Rates(bytes[0], bytes[1], requests[0], requests[1]));
  }

  /** A rate and its burst: {@code 10M:64M}, or the rate alone. */
  private static long[] rate(String text) throws UsageException {
    int colon = text.indexOf(':');
    long rate = ByteSize.parse(colon < 0 ? text : text.substring(0, colon), 1);
    long burst = colon < 0 ? rate : ByteSize.parse(text.substring(colon + 1), 1);
    if (rate > 0 && burst == 0) {
      throw new UsageException("a burst is at least 1, not " + text);
    }
    return new long[] {rate, burst};
  }

  /** The number of the kernel module's block devices, if there is such a module. */
  void major(ShortOptions options) throws IOException {
    if (options.has('c')) {
      throw new DiskException(Errno.EINVAL, "only block devices have a major number");
    }
    out().println(KernelDevices.blockMajor("tapdev"));
  }

  /** Whether tapdisks can work here: ours need no kernel module, but the folder and a program. */
  void check() throws DiskException {
    TapdiskProgram.of(console.environment());
    minors.free(Minors.number(minors.allocate()));
    out().println("ok");
  }

  private static int required(ShortOptions options, char letter) throws UsageException {
    OptionalInt number = options.number(letter);
    if (number.isEmpty()) {
      throw new UsageException("");
    }
    return number.getAsInt();
  }

  private static Optional<Duration> timeout(ShortOptions options) throws UsageException {
    OptionalInt seconds = options.number('t');
    return seconds.isEmpty()
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(seconds.getAsInt()));
  }
}
