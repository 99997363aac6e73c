package io.vdisk.bench.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The command line.
 *
 * @param names expressions for the names of cases, whole ones; none stands for all
 */
record Options(
    int pairs,
    Path folder,
    Optional<Path> jdk,
    boolean isQuick,
    boolean isList,
    boolean isHelp,
    long seed,
    List<Pattern> names) {

  static final String USAGE =
      """
      usage: compare [OPTIONS] [CASE...]
      Measures the tools of vdisk beside other programs on the same work, in turn.
        CASE          a name, or a regular expression for whole names; default: all cases
        -n PAIRS      how often each case is measured (default 7)
        --dir DIR     where inputs, outputs and reports go: needs some 40 GB, with --quick 6
                      (default: target/bench of this module)
        --jdk HOME    the JVM for vdisk (default: the newest here)
        --quick       smaller inputs: shows that all works, and says little
        --seed N      of the order of cases (default 1)
        --list        names the cases""";

  private static final int PAIRS = 7;

  /** {@code defaultFolder} serves where none is named. */
  static Options parse(List<String> words, Path defaultFolder) throws UsageException {
    int pairs = PAIRS;
    Path folder = defaultFolder;
    Optional<Path> jdk = Optional.empty();
    boolean quick = false;
    boolean list = false;
    boolean help = false;
    long seed = 1;
    List<Pattern> names = new ArrayList<>();
    for (Iterator<String> rest = words.iterator(); rest.hasNext(); ) {
      String word = rest.next();
      switch (word) {
        case "-n" -> pairs = (int) number(word, rest, 1000);
        case "--dir" -> folder = Path.of(value(word, rest)).toAbsolutePath();
        case "--jdk" -> jdk = Optional.of(Path.of(value(word, rest)).toAbsolutePath());
        case "--seed" -> seed = number(word, rest, Long.MAX_VALUE);
        case "--quick" -> quick = true;
        case "--list" -> list = true;
        case "-h", "--help" -> help = true;
        default -> names.add(expression(word));
      }
    }
    return new Options(pairs, folder, jdk, quick, list, help, seed, List.copyOf(names));
  }

  private static String value(String option, Iterator<String> rest) throws UsageException {
    if (!rest.hasNext()) {
      throw new UsageException(option + " needs a value");
    }
    return rest.next();
  }

  private static long number(String option, Iterator<String> rest, long most)
      throws UsageException {
    String text = value(option, rest);
    try {
      long number = Long.parseLong(text);
      if (number >= 1 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new UsageException(option + " takes a number from 1 on, not '" + text + "'");
  }

  private static Pattern expression(String word) throws UsageException {
    if (word.startsWith("-")) {
      throw new UsageException("unknown option " + word);
    }
    try {
      return Pattern.compile(word);
    } catch (PatternSyntaxException e) {
      throw new UsageException("'" + word + "' is no regular expression: " + e.getDescription());
    }
  }

  boolean selects(String name) {
    return names.isEmpty() || names.stream().anyMatch(p -> p.matcher(name).matches());
  }
}
