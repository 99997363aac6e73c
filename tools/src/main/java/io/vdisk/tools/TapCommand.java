package io.vdisk.tools;

import java.util.Locale;
import java.util.Optional;

/** The commands of tap-ctl: their letters for getopt, and their usage lines as xapi prints them. */
enum TapCommand {
  LIST(
      "m:p:t:f:h",
      """
      usage: list [-h] [-p pid] [-m minor] [-t type] [-f file]

      Lists tapdisks in the following format:
           pid minor state       type file"""),
  ALLOCATE("d:h", "usage: allocate"),
  FREE("m:h", "usage: free <-m minor>"),
  CREATE(
      "a:RDd:e:r2:st:C:h",
      "usage: create <-a type:/path/to/file> [-d device name] [-R readonly] "
          + Texts.OPENING
          + "[-C <path/to/logfile> insert log layer to track changed blocks]"),
  DESTROY("p:m:t:h", "usage: destroy <-p pid> <-m minor> [-t timeout secs]"),
  SPAWN("h", "usage: spawn"),
  ATTACH("p:m:h", "usage: attach <-p pid> <-m minor>"),
  DETACH("p:m:h", "usage: detach <-p pid> <-m minor>"),
  OPEN(
      "a:RDm:p:e:r2:st:C:Eh",
      "usage: open <-p pid> <-m minor> <-a type:/path/to/file> [-R readonly] "
          + Texts.OPENING
          + "[-C </path/to/logfile> insert log layer to track changed blocks] "
          + "[-E read encryption key from stdin]"),
  CLOSE("p:m:ft:h", "usage: close <-p pid> <-m minor> [-f force] [-t timeout secs]"),
  PAUSE("p:m:t:h", "usage: pause <-p pid> <-m minor> [-t timeout secs]"),
  UNPAUSE(
      "p:m:a:2:c:h",
      "usage: unpause <-p pid> <-m minor> [-a type:/path/to/file] [-2 secondary] "
          + "[-c </path/to/logfile> insert log layer to track changed blocks]"),
  STATS(
      "p:m:h",
      """
      usage: stats <-p pid> <-m minor>

      Prints a Python dictionary with the VBD stats. The images are listed in reverse order (leaf to root)"""),
  LIMIT(
      "p:m:b:i:h",
      """
      usage: limit <-p pid> <-m minor> [-b bytes[:burst]] [-i requests[:burst]]

      Lets so many bytes and requests go in a second; what is not given has no limit. A burst, of a
      second's worth unless given, goes at once after a pause. Of this program's tapdisks only"""),
  MAJOR("bch", "usage: major [-h]"),
  CHECK("h", "usage: check\n(checks whether environment is suitable for tapdisk2)");

  private static final class Texts {
    static final String OPENING =
        "[-e <minor> stack on existing tapdisk for the parent chain] "
            + "[-r turn on read caching into leaf node] [-2 <path> "
            + "use secondary image (in mirror mode if no -s)] [-s "
            + "fail over to the secondary image on ENOSPC] "
            + "[-t request timeout in seconds] [-D no O_DIRECT] ";
  }

  private final String letters;
  private final String usage;

  TapCommand(String letters, String usage) {
    this.letters = letters;
    this.usage = usage;
  }

  /** The word on the command line. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  String letters() {
    return letters;
  }

  String usage() {
    return usage;
  }

  static Optional<TapCommand> of(String word) {
    for (TapCommand command : values()) {
      if (command.word().equals(word)) {
        return Optional.of(command);
      }
    }
    return Optional.empty();
  }
}
