package io.vdisk.tools;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Options of one letter, taken apart as getopt(3) does it, with its sentences for what is wrong.
 * Letters may be joined, a value may be attached or follow, and operands may stand anywhere.
 */
final class ShortOptions {
  private record Given(char letter, String value) {}

  private final List<Given> given = new ArrayList<>();
  private final List<String> operands = new ArrayList<>();

  private ShortOptions() {}

  /**
   * Takes a command line apart.
   *
   * @param command the name that begins each sentence
   * @param letters the options, each followed by a colon if it has a value
   * @throws UsageException with what getopt prints, for the first mistake
   */
  static ShortOptions parse(String command, String letters, List<String> words)
      throws UsageException {
    ShortOptions options = new ShortOptions();
    int next = 0;
    while (next < words.size()) {
      String word = words.get(next++);
      if (word.equals("--")) {
        options.operands.addAll(words.subList(next, words.size()));
        break;
      } else if (word.length() < 2 || word.charAt(0) != '-') {
        options.operands.add(word);
        continue;
      }
      for (int i = 1; i < word.length(); i++) {
        char letter = word.charAt(i);
        int known = letter == ':' ? -1 : letters.indexOf(letter);
        if (known < 0) {
          throw new UsageException(command + ": invalid option -- '" + letter + "'");
        }
        if (!letters.startsWith(":", known + 1)) {
          options.given.add(new Given(letter, ""));
        } else if (i + 1 < word.length()) {
          options.given.add(new Given(letter, word.substring(i + 1)));
          break;
        } else if (next < words.size()) {
          options.given.add(new Given(letter, words.get(next++)));
        } else {
          throw new UsageException(command + ": option requires an argument -- '" + letter + "'");
        }
      }
    }
    return options;
  }

  /** How often an option was given. */
  long count(char letter) {
    return given.stream().filter(one -> one.letter == letter).count();
  }

  boolean has(char letter) {
    return count(letter) > 0;
  }

  /** The last value of an option. */
  Optional<String> value(char letter) {
    return given.stream()
        .filter(one -> one.letter == letter)
        .reduce((first, second) -> second)
        .map(Given::value);
  }

  /**
   * The last value of an option, a number from 0 on.
   *
   * @throws UsageException if it is none
   */
  OptionalInt number(char letter) throws UsageException {
    Optional<String> value = value(letter);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    try {
      int number = Integer.parseInt(value.get());
      if (number >= 0) {
        return OptionalInt.of(number);
      }
    } catch (NumberFormatException e) {
      // as a negative one
    }
    throw new UsageException("-" + letter + " takes a number, not '" + value.get() + "'");
  }

  /** What is no option, in order. */
  List<String> operands() {
    return operands;
  }

  /** The letters that were given, each once. */
  Set<Character> letters() {
    Set<Character> letters = new HashSet<>();
    given.forEach(one -> letters.add(one.letter));
    return letters;
  }
}
