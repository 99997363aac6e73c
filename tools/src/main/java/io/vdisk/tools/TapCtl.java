package io.vdisk.tools;

import io.vdisk.backend.tap.control.AnsweredException;
import io.vdisk.backend.tap.control.ControlFolder;
import io.vdisk.backend.tap.control.Generation;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The command {@code tap-ctl} of Xen's blktap: the same commands, options, lines and exit codes.
 * Where that one writes the reason of a failure to the system's log, this one prints it.
 */
public final class TapCtl {
  /** The variable of the environment with the release to be like, where --compat is not given. */
  static final String COMPATIBLE = "VDISK_TAP_COMPAT";

  private static final String USAGE =
      """
      usage: tap-ctl COMMAND [OPTIONS]
      COMMAND := { list | allocate | free | create | destroy | spawn | attach | detach | open | close | pause | unpause | stats }""";

  private static final String OLD_USAGE =
      """
      usage: tap-ctl COMMAND [OPTIONS]
      COMMAND := { list | allocate | free | create | destroy | spawn | attach | detach | open | close | pause | unpause | major | check }""";

  private static final String HELP =
      """

      Commands tapdisks. -h behind a command tells its options.
        limit               bytes and requests in a second, while guests go on; not in xapi's
        major, check        as in Xen 4.1: the number of the kernel's devices; whether tapdisks
                            can work here
        --folder DIR        where sockets and minors are, instead of /run/blktap-control;
                            the variable VDISK_TAP_FOLDER says the same
        --compat RELEASE    messages and lines of Xen 4.1 or 4.2, instead of today's;
                            the variable VDISK_TAP_COMPAT says the same
        --version           prints the version
      The variable TAPDISK2 names the tapdisk to spawn, instead of the one beside tap-ctl.
      Exit codes: 0 done, 1 a wrong key, else the number of the error.""";

  /** Xen 4.1 ended with the negative number, of which eight bits are left. */
  private static final int OLD_ENOSYS = -Errno.ENOSYS.number() & 0xff;

  private TapCtl() {}

  /** Carries out a command and ends the process with an exit code. */
  public static void main(String[] args) {
    Console console =
        new Console(
            System.in, System.out, System.err, Boolean.getBoolean("vdisk.stdout"), System.getenv());
    System.exit(run(Arrays.asList(args), console));
  }

  /** The console's terminal is standard output here, as in C. */
  static int run(List<String> words, Console console) {
    Settings settings;
    try {
      settings = Settings.of(words, console);
    } catch (UsageException e) {
      console.err().println("tap-ctl: " + e.getMessage());
      return Errno.EINVAL.number();
    }
    boolean isOld = settings.generation != Generation.TODAY;
    String usage = isOld ? OLD_USAGE : USAGE;
    List<String> rest = settings.words;
    if (rest.equals(List.of("--help"))) {
      console.out().println(usage + "\n" + HELP);
      return 0;
    }
    Optional<TapCommand> command = rest.isEmpty() ? Optional.empty() : TapCommand.of(rest.get(0));
    try {
      if (rest.equals(List.of("--version"))) {
        console.out().println("tap-ctl " + Help.version());
        return 0;
      }
      if (command.isEmpty()) {
        console.out().println(usage);
        return 0;
      }
      run(command.get(), rest.subList(1, rest.size()), settings, console);
      return 0;
    } catch (TapOpening.KeyException e) {
      console.err().println(e.getMessage());
      return 1;
    } catch (DiskException e) {
      return failed(e, command, isOld, console);
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, "tap-ctl", e);
      return Errno.of(e).number();
    }
  }

  private static int failed(
      DiskException failure, Optional<TapCommand> command, boolean isOld, Console console) {
    int code = exitCode(failure, command, isOld);
    if (isOfKernel(failure, command)) {
      console.out().println(failure.sentence());
    } else if (!failure.sentence().isEmpty()) {
      console.err().println("tap-ctl: " + failure.sentence());
    }
    if (!isOld) {
      console.err().println(Errno.describe(code));
    }
    return code;
  }

  /** That the kernel lacks the module, which is told on standard output. */
  private static boolean isOfKernel(DiskException failure, Optional<TapCommand> command) {
    return command.filter(TapCommand.MAJOR::equals).isPresent() && failure.is(Errno.ENOSYS);
  }

  /** xapi's tap-ctl takes each refusal to attach or detach for a breach of the protocol. */
  private static int exitCode(DiskException failure, Optional<TapCommand> command, boolean isOld) {
    if (isOld) {
      return isOfKernel(failure, command) ? OLD_ENOSYS : failure.number();
    }
    boolean isAttaching =
        command.filter(one -> one == TapCommand.ATTACH || one == TapCommand.DETACH).isPresent();
    return isAttaching && failure instanceof AnsweredException
        ? Errno.EINVAL.number()
        : failure.number();
  }

  private static void run(
      TapCommand command, List<String> words, Settings settings, Console console)
      throws IOException {
    try {
      ShortOptions options = ShortOptions.parse(command.word(), command.letters(), words);
      if (options.has('h')) {
        console.out().println(command.usage());
        return;
      }
      act(command, options, settings, console);
    } catch (UsageException e) {
      console.err().println((e.getMessage() + "\n" + command.usage()).stripLeading());
      throw new DiskException(Errno.EINVAL, "");
    }
  }

  private static void act(
      TapCommand command, ShortOptions options, Settings settings, Console console)
      throws IOException, UsageException {
    TapActions actions =
        new TapActions(console, settings.folder, settings.compatible, settings.generation);
    switch (command) {
      case LIST -> actions.list(options);
      case ALLOCATE -> actions.allocate(options);
      case FREE -> actions.free(options);
      case CREATE -> actions.create(options);
      case DESTROY -> actions.destroy(options);
      case SPAWN -> actions.spawn();
      case ATTACH -> actions.attach(options);
      case DETACH -> actions.detach(options);
      case OPEN -> actions.open(options);
      case CLOSE -> actions.close(options);
      case PAUSE -> actions.pause(options);
      case UNPAUSE -> actions.unpause(options);
      case STATS -> actions.stats(options);
      case LIMIT -> actions.limit(options);
      case MAJOR -> actions.major(options);
      case CHECK -> actions.check();
    }
  }

  /** Where, and in which dialect; and the words that are left. */
  private record Settings(
      ControlFolder folder, String compatible, Generation generation, List<String> words) {
    static Settings of(List<String> words, Console console) throws UsageException {
      ControlFolder folder = ControlFolder.of(console.environment());
      String compatible = console.environment().getOrDefault(COMPATIBLE, "today");
      List<String> rest = new ArrayList<>();
      for (int i = 0; i < words.size(); i++) {
        String word = words.get(i);
        boolean isLast = i + 1 == words.size();
        if (word.equals("--debug")) {
          continue; // what it would tell is told without it
        } else if (word.equals("--folder") || word.equals("--compat")) {
          if (isLast) {
            throw new UsageException(word + " needs a value");
          }
          i++;
        } else {
          rest.add(word);
          continue;
        }
        if (word.equals("--folder")) {
          folder = new ControlFolder(Path.of(words.get(i)));
        } else {
          compatible = words.get(i);
        }
      }
      String release = compatible;
      Generation generation =
          Generation.of(release)
              .filter(one -> one != Generation.XEN_4_0)
              .orElseThrow(
                  () -> new UsageException("--compat is 4.1, 4.2 or today, not " + release));
      return new Settings(folder, compatible, generation, rest);
    }
  }
}
