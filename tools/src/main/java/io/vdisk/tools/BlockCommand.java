package io.vdisk.tools;

import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.Errno;
import io.vdisk.backend.tap.xen.GuestDevices;
import io.vdisk.backend.tap.xen.StoreException;
import io.vdisk.backend.tap.xen.XenStore;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** A command about the disks of one of Xen's guests. */
abstract class BlockCommand {
  private static final int EINVAL = 22;
  private static final int DEFAULT_SECONDS = 60;

  private final String name;
  private final String usage;
  private final String help;

  BlockCommand(String name, String usage, String help) {
    this.name = name;
    this.usage = "usage: " + name + " " + usage;
    this.help = help;
  }

  /** What a command line asks for, once it is understood. */
  @FunctionalInterface
  interface Action {
    /** Carries it out. */
    void run(XenStore store, GuestDevices devices, Console console) throws IOException;
  }

  /** The options beside --help and --version. */
  abstract Arguments.Syntax syntax();

  /** Understands all of a command line, before anything is done. */
  abstract Action action(Arguments arguments) throws IOException, UsageException;

  /** The exit code: 0, or the number of the error. */
  final int run(List<String> words, Console console) {
    try {
      Arguments arguments = syntax().flag("-h", "--help").flag("--version").parse(words);
      if (arguments.has("--help")) {
        console.out().println(usage + "\n" + help);
      } else if (arguments.has("--version")) {
        console.out().println(name + " " + Help.version());
      } else {
        Action action = action(arguments);
        try (XenStore store = XenStore.open(console.environment())) {
          action.run(store, new GuestDevices(store), console);
        }
      }
      return 0;
    } catch (UsageException e) {
      console.err().println(name + ": " + e.getMessage() + "\n" + usage);
      return EINVAL;
    } catch (DiskException e) {
      console.err().println(name + ": " + e.getMessage());
      return e.number();
    } catch (StoreException e) {
      Failures.print(console, name, e);
      return e.number().number();
    } catch (IOException | RuntimeException | Error e) {
      Failures.print(console, name, e);
      return Errno.of(e).number();
    }
  }

  /** How long is waited for the guest: {@code --timeout}. */
  static Duration timeout(Arguments arguments) throws UsageException {
    String seconds = arguments.value("--timeout").orElse(Integer.toString(DEFAULT_SECONDS));
    if (!seconds.matches("[0-9]{1,6}")) {
      throw new UsageException("--timeout takes seconds, not '" + seconds + "'");
    }
    return Duration.ofSeconds(Long.parseLong(seconds));
  }
}
