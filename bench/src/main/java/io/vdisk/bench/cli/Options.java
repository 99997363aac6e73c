package io.vdisk.bench.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What both commands take.
 *
 * @param rounds how often each case is measured
 * @param folder where everything goes
 * @param jdk the home of the JVM that is measured
 * @param isQuick whether inputs are small
 * @param seed of the order of cases
 * @param names expressions for the names of cases, whole ones; none stands for all
 */
public record Options(
    int rounds,
    Path folder,
    Optional<Path> jdk,
    boolean isQuick,
    boolean isList,
    boolean isHelp,
    long seed,
    List<Pattern> names) {

  /**
   * Reads the words.
   *
   * @param usualRounds where no number of them is said
   * @param usualFolder where none is named
   */
  public static Options parse(List<String> words, int usualRounds, Path usualFolder)
      throws UsageException {
    int rounds = usualRounds;
    Path folder = usualFolder;
    Optional<Path> jdk = Optional.empty();
    boolean quick = false;
    boolean list = false;
    boolean help = false;
    long seed = 1;
    List<Pattern> names = new ArrayList<>();
    for (Iterator<String> rest = words.iterator(); rest.hasNext(); ) {
      String word = rest.next();
      switch (word) {
        case "-n" -> rounds = (int) number(word, rest, 1000);
        case "--dir" -> folder = Path.of(value(word, rest)).toAbsolutePath();
        case "--jdk" -> jdk = Optional.of(Path.of(value(word, rest)).toAbsolutePath());
        case "--seed" -> seed = number(word, rest, Long.MAX_VALUE);
        case "--quick" -> quick = true;
        case "--list" -> list = true;
        case "-h", "--help" -> help = true;
        default -> names.add(expression(word));
      }
    }
    return new Options(rounds, folder, jdk, quick, list, help, seed, List.copyOf(names));
  }

  static String value(String option, Iterator<String> rest) throws UsageException {
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

  /** Whether a case of that name is asked for. */
  public boolean selects(String name) {
    return names.isEmpty() || names.stream().anyMatch(p -> p.matcher(name).matches());
  }
}
