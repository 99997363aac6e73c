package io.vdisk.tools;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A command line taken apart as getopt_long does it: options may follow operands, letters may be
 * joined ({@code -cp}), a value may be attached ({@code -fraw}, {@code --format=raw}) or follow,
 * and {@code --} ends the options. An option is asked for by the last of its spellings.
 */
final class Arguments {
  private final Map<String, List<String>> given = new HashMap<>();
  private final List<String> operands = new ArrayList<>();
  private final List<String> order = new ArrayList<>();

  private Arguments() {}

  /** Which options there are. */
  static final class Syntax {
    private final Map<String, String> names = new HashMap<>();
    private final Set<String> valued = new HashSet<>();

    /** An option without a value. */
    Syntax flag(String... spellings) {
      for (String spelling : spellings) {
        names.put(spelling, spellings[spellings.length - 1]);
      }
      return this;
    }

    /** An option with a value. */
    Syntax value(String... spellings) {
      valued.add(spellings[spellings.length - 1]);
      return flag(spellings);
    }

    Arguments parse(List<String> words) throws UsageException {
      Arguments arguments = new Arguments();
      int next = 0;
      while (next < words.size()) {
        String word = words.get(next++);
        if (word.equals("--")) {
          arguments.operands.addAll(words.subList(next, words.size()));
          break;
        } else if (word.startsWith("--")) {
          next = longOption(arguments, words, word, next);
        } else if (word.length() > 1 && word.startsWith("-")) {
          next = letters(arguments, words, word, next);
        } else {
          arguments.operands.add(word);
        }
      }
      return arguments;
    }

    private int longOption(Arguments arguments, List<String> words, String word, int next)
        throws UsageException {
      int equals = word.indexOf('=');
      String spelling = equals < 0 ? word : word.substring(0, equals);
      String name = name(spelling);
      if (!valued.contains(name)) {
        if (equals >= 0) {
          throw new UsageException(spelling + " takes no value");
        }
        arguments.add(name, "");
      } else if (equals >= 0) {
        arguments.add(name, word.substring(equals + 1));
      } else {
        arguments.add(name, following(words, spelling, next));
        return next + 1;
      }
      return next;
    }

    private int letters(Arguments arguments, List<String> words, String word, int next)
        throws UsageException {
      for (int i = 1; i < word.length(); i++) {
        String spelling = "-" + word.charAt(i);
        String name = name(spelling);
        if (!valued.contains(name)) {
          arguments.add(name, "");
        } else if (i + 1 < word.length()) {
          arguments.add(name, word.substring(i + 1));
          break;
        } else {
          arguments.add(name, following(words, spelling, next));
          return next + 1;
        }
      }
      return next;
    }

    private String name(String spelling) throws UsageException {
      String name = names.get(spelling);
      if (name == null) {
        throw new UsageException("unknown option '" + spelling + "'");
      }
      return name;
    }

    private static String following(List<String> words, String spelling, int next)
        throws UsageException {
      if (next == words.size()) {
        throw new UsageException(spelling + " needs a value");
      }
      return words.get(next);
    }
  }

  private void add(String name, String value) {
    order.add(name);
    given.computeIfAbsent(name, unused -> new ArrayList<>()).add(value);
  }

  boolean has(String name) {
    return given.containsKey(name);
  }

  /** The last value of an option. */
  Optional<String> value(String name) {
    List<String> all = values(name);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  List<String> values(String name) {
    return given.getOrDefault(name, List.of());
  }

  /** The options as they were given, each by the last of its spellings. */
  List<String> order() {
    return order;
  }

  /** What is no option, in order. */
  List<String> operands() {
    return operands;
  }

  /** The operands, if they are as many as wanted. */
  List<String> operands(int count, String what) throws UsageException {
    if (operands.size() != count) {
      throw new UsageException("expected " + what + ", found " + operands.size() + " operands");
    }
    return operands;
  }
}
